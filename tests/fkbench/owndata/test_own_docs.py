"""Every TOML example of the page reads data of its format, and every key stands in the page."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest

from fkbench.finding import find_dataset
from fkbench.owndata import description, landmarks
from fkbench.owndata.landmarks import read_scheme
from fkbench.registry import load_registry
from fkbench.schemes import Scheme
from fkbench.testing import check_dataset

PAGE = (Path(__file__).parents[3] / "docs" / "own-data.md").read_text(encoding="utf-8")
EXAMPLES = {match[1]: match[0] for match in re.finditer(r"(?<=```toml\n)# (\S+\.toml)\n.*?(?=```)", PAGE, re.DOTALL)}
FOLDERS = ("afw", "trainset", "testset")


class Writer:
    """Label files of a scheme, as an example names them."""

    def __init__(self, root: Path, page: dict, scheme: Scheme) -> None:
        self.root, self.page, self.scheme = root, page, scheme
        self.random = np.random.default_rng(5)

    def picture(self, name: Path) -> np.ndarray:
        """A picture like no other, and its points."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = self.random.integers(0, 256, (6, 6, 3), np.uint8)
        cv2.imwrite(str(path), cv2.resize(coarse, (90, 80), interpolation=cv2.INTER_CUBIC))
        return self.random.integers(5, 75, (len(self.scheme.points), 2)).astype(float)

    def csv(self, labels: Path, pictures: Path) -> None:
        rows = []
        for i in range(40):
            name = f"person{i}_0.png"
            values = self.picture(pictures / name).reshape(-1)
            rows.append(",".join([name, *map(str, values), f"p{i}", ("train", "val", "test")[i % 3]]))
        header = ["picture", *(f"{a}{k}" for k in range(len(self.scheme.points)) for a in "xy"), "person", "part"]
        (self.root / labels).write_text("\n".join([",".join(header), *rows]))

    def coco(self, labels: Path, pictures: Path) -> None:
        images, annotations = [], []
        for i in range(20):
            points = self.picture(pictures / f"{i}.jpg")
            images.append({"id": i, "file_name": f"{i}.jpg"})
            keypoints = np.column_stack([points, np.full(len(points), 0.7)]).reshape(-1).tolist()
            annotations.append({"id": i, "image_id": i, "category_id": 1, self.page["keypoints"]: keypoints})
        page = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": self.page["category"]}]}
        (self.root / labels).parent.mkdir(exist_ok=True)
        (self.root / labels).write_text(json.dumps(page))

    def pts(self, labels: Path, pictures: Path) -> None:
        for i in range(60):
            name = labels / FOLDERS[i % 3] / f"image_{i}.png"
            rows = "\n".join(f"{x:.3f} {y:.3f}" for x, y in self.picture(name))
            text = f"version: 1\nn_points: {len(self.scheme.points)}\n{{\n{rows}\n}}\n"
            (self.root / name).with_suffix(".pts").write_text(text)

    def wflw(self, labels: Path, pictures: Path) -> None:
        lines = []
        for i in range(25):
            name = f"{labels.stem}/{i}.jpg"
            values = self.picture(pictures / name).reshape(-1)
            lines.append(" ".join([*map(str, values), "1 2 3 4", "0 1 0 0 1 0", name]))
        (self.root / labels).parent.mkdir(exist_ok=True)
        (self.root / labels).write_text("\n".join(lines))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_reads_data_of_its_format(name, tmp_path, store):
    page = tomllib.loads(EXAMPLES[name])
    writer = Writer(tmp_path, page, read_scheme(page["scheme"], name, "x"))
    labels = page["labels"] if isinstance(page["labels"], dict) else {"": page["labels"]}
    for part, file in labels.items():
        pictures = page.get("pictures", file)
        folder = pictures if isinstance(pictures, str) else pictures[part]
        getattr(writer, page["format"])(Path(file), Path(folder))
    (tmp_path / name).write_text(EXAMPLES[name])
    spec = find_dataset(load_registry(), str(tmp_path / name))
    findings = {finding.check: finding for finding in check_dataset(spec, store)}
    random_faces = {"flip"}  # random points are no face, of which the mirror image could be compared
    failed = {check: f for check, f in findings.items() if f.status == "failed" and check not in random_faces}
    assert failed == {}
    assert findings["loads"].status == "passed"
    assert spec.splits[0].name == ("grouped" if name == "mydata.toml" else "given")


def test_there_is_an_example_of_every_format():
    assert {tomllib.loads(text)["format"] for text in EXAMPLES.values()} == set(description.FORMATS)


@pytest.mark.parametrize("key", [*description.KEYS, *landmarks.KEYS])
def test_every_key_stands_in_the_page(key):
    assert re.search(rf"^\|[^|]*`{key}`", PAGE, re.MULTILINE)


def test_the_flip_pairs_of_wflw_map_regions_onto_regions():
    page = tomllib.loads(EXAMPLES["wflw.toml"])
    scheme = read_scheme(page["scheme"], "wflw.toml", "wflw")
    order = scheme.flip_order()
    assert [order[index] for index in order] == list(range(98))
    regions = {frozenset(part) for part in scheme.regions.values()}
    assert {frozenset(order[index] for index in part) for part in regions} == regions
    assert sorted(index for part in scheme.regions.values() for index in part) == list(range(98))
    assert sum(order[index] == index for index in range(98)) == 98 - 2 * len(scheme.flip_pairs)
