"""`fkbench show`: every kind of name in both forms, and what it says of names that are not there."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from fkbench.cli import show
from fkbench.cli.session import Session
from fkbench.cli.show_protocol import documented, protocol_rows
from fkbench.cli.show_scheme import text_picture
from fkbench.datasets.samples import Frames, Official, Samples
from fkbench.datasets.splits import from_masks
from fkbench.errors import DataMissingError, FkbenchError, UnknownNameError
from fkbench.protocols import PROTOCOLS
from fkbench.registry import Registry
from fkbench.schemes import FACE15, FACE68
from fkbench.specs import (
    Card,
    DatasetSpec,
    MetricSpec,
    ModelSpec,
    Plugin,
    Recipe,
    RuntimeSpec,
    Setting,
    SplitSpec,
    Terms,
)


def tiny(channels, size, outputs, width=4):
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(channels, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(width * (size - 2) ** 2, outputs)
    )


def needs_numbers(channels, size, outputs):
    """A net that cannot be built without numbers: its size follows from a value."""
    import torch
    from torch import nn

    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, int(torch.tensor(outputs).item())))


def broken(channels, size, outputs):
    raise RuntimeError("no such layer")


def load(store, settings):
    rng = np.random.default_rng(0)
    points = rng.uniform(2, 90, (40, 15, 2)).astype(np.float32)
    points[:7, 3] = np.nan
    images = rng.integers(5, 250, (40, 96, 96), np.uint8)
    images[0, 0, 0], images[0, 0, 1] = 0, 255
    return Samples(
        ids=tuple(f"face{i}" for i in range(40)), frames=Frames.stack(images), points=points,
        group=tuple(f"person{i // 2}" for i in range(40)), fingerprint="sha256:abc", official=Official(True, False),
        convention=("full",) * 30 + ("four",) * 10,
    )  # fmt: skip


def parted(samples, name, fold):
    """`identity` keeps the two pictures of a person together, `random` parts every person."""
    place = np.arange(40) // 2 % 4 if name == "identity" else np.arange(40) % 4
    return from_masks(name, place < 2, place == 2, place == 3)


def absent(store, settings):
    raise DataMissingError("not imported")


SPECS = (
    ModelSpec(
        name="tiny", summary="a [small] net", build=tiny, input=(1, 8), settings={"width": Setting(4, "channels")},
        recipes={"article": Recipe(lr=0.25, epochs=3)}, card=Card(source="A paper", deviations=("other loss",)),
    ),
    ModelSpec(name="numbers", build=needs_numbers, input=(1, 8)),
    ModelSpec(name="broken", build=broken, input=(1, 8)),
    ModelSpec(name="lookup", kind="predictor", role="baseline", build=tiny),
    ModelSpec(name="elsewhere", build=tiny, needs=("no_such_package",)),
    ModelSpec(name="twice", build=tiny, input=(1, 8), settings={"width": Setting(4, "channels", limits=(1, 64))}),
    DatasetSpec(
        name="faces", scheme="face15", load=load, split=parted, terms=Terms("CC0", public=True),
        splits=(SplitSpec("identity", "by person"), SplitSpec("random", "by picture", leaky=True)),
        settings={"count": Setting(40, "how many", (40, 80))},
    ),
    DatasetSpec(name="gone", scheme="face15", load=absent, ways="Ask its owner."),
    MetricSpec(name="twice", compute=tiny, better="higher"),
    RuntimeSpec(name="plain", summary="as it is", prepare=tiny),
)  # fmt: skip


@pytest.fixture
def session(tmp_path: Path) -> Session:
    registry = Registry()
    registry.add(SPECS, Plugin("test", "1.0"))
    found = Session(data=tmp_path / "data")
    found.registry = registry
    return found


@pytest.fixture
def call(session, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    app = typer.Typer()

    @app.callback()
    def root(context: typer.Context) -> None:
        context.obj = session

    show.register(app)

    def invoke(*words):
        result = CliRunner().invoke(app, ["show", *map(str, words)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def answer(result):
    assert result.exit_code == 0
    return json.loads(result.stdout)


def test_model_as_json(call):
    found = answer(call("tiny", "--json"))
    assert (found["parameters"], found["macs"]) == (40 + 144 * 30 + 30, 36 * 36 + 144 * 30)
    assert (found["input"], found["outputs"], found["source"]) == ([1, 8], 30, "A paper")
    assert [layer["type"] for layer in found["layers"]] == ["Conv2d", "ReLU", "Flatten", "Linear"]
    assert found["layers"][0]["output"] == [4, 6, 6]
    assert found["settings"] == [{"name": "width", "default": 4, "help": "channels", "choices": []}]
    assert answer(call("tiny", "--json", "--scheme", "face68"))["outputs"] == 136


def test_model_for_people(call):
    shown = call("tiny").stdout
    for words in ("a [small] net", "A paper", "other loss", "Conv2d", "4×6×6", "1→4, k3 s1", "4 390", "model.width"):
        assert words in shown


def test_model_that_needs_real_numbers(call):
    assert answer(call("numbers", "--json"))["parameters"] == 64 * 30 + 30


def test_predictor_has_no_layers(call, tmp_path):
    found = answer(call("lookup", "--json"))
    assert (found["parameters"], found["layers"], found["role"]) == (None, [], "baseline")
    with pytest.raises(FkbenchError, match="without layers"):
        call("lookup", "--graph", tmp_path / "x.png")


def test_model_whose_packages_are_missing(call):
    found = answer(call("elsewhere", "--json"))
    assert (found["available"], found["parameters"]) == (False, None)
    assert "no_such_package" in found["reason"]


def test_model_that_cannot_be_built(call):
    with pytest.raises(FkbenchError, match="RuntimeError: no such layer") as caught:
        call("broken")
    assert caught.value.exit_code == 2


def test_graph_is_written_and_named_on_stderr(call, tmp_path):
    result = call("tiny", "--json", "--graph", tmp_path / "net.svg")
    assert "<svg" in (tmp_path / "net.svg").read_text()
    assert "net.svg" in result.stderr
    assert answer(result)["name"] == "tiny"


def test_local_file(call, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "import fkbench\nfrom torch import nn\n\n\n@fkbench.model('mine', input=(1, 8))\n"
        "def mine(channels, size, outputs):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, outputs))\n"
    )
    found = answer(call(file, "--json"))
    assert (found["name"], found["parameters"], found["source"]) == ("mine", 64 * 30 + 30, str(file))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x = 1\n", "marks 0 plugins"),
        ("x = \n", "SyntaxError"),
        (None, "There is no file"),
        ("1 / 0\n", "ZeroDivisionError"),
    ],
)
def test_bad_local_file(call, tmp_path, content, message):
    file = tmp_path / "bad.py"
    if content is not None:
        file.write_text(content)
    with pytest.raises(FkbenchError, match=message) as caught:
        call(file)
    assert caught.value.remedy


def test_dataset_that_is_here(call):
    found = answer(call("faces", "--json"))
    assert found["fingerprint"] == "sha256:abc"
    assert found["official"] == {"labels": True, "pixels": False}
    assert found["counts"]["labelled"] == 40
    assert found["counts"]["groups"] == 20
    assert found["counts"]["with_every_point"] == 33
    assert found["counts"]["convention"] == {"four": 10, "full": 30}
    assert found["missing"][FACE15.points[3]] == 7
    assert sum(found["missing"].values()) == 7
    assert found["sizes"]["width"] == [96, 96, 96]
    assert found["values"]["pixels"][::2] == [0.0, 255.0]
    assert 2 <= found["values"]["x"][0] < found["values"]["x"][1] < found["values"]["x"][2] <= 90
    assert [split["name"] for split in found["splits"]] == ["identity", "random"]
    for split in found["splits"]:
        assert sum(split["counts"].values()) == 40
    identity, random = (split["leaks"] for split in found["splits"])
    assert (identity["leaky"], random["leaky"]) == (False, True)
    assert random["groups"]["both_sides"] == 10


def test_dataset_for_people(call):
    shown = call("faces").stdout
    for words in (
        "CC0",
        "identity",
        "leaky",
        FACE15.points[3],
        "sha256:abc",
        "not the official ones",
        "dataset.count",
        "10 of 20 on both sides",
    ):
        assert words in shown


def test_dataset_that_is_not_here_shows_the_light_part_and_the_way(call, tmp_path):
    result = call("gone", "--json")
    found = answer(result)
    assert found["available"] is False
    assert "counts" not in found
    assert "Ask its owner." in result.stderr
    assert "Ask its owner." in call("gone").stdout
    with pytest.raises(DataMissingError):
        call("gone", "--picture", tmp_path / "x.png")


def test_dataset_picture(call, tmp_path):
    import cv2

    call("faces", "--picture", tmp_path / "faces.png")
    assert cv2.imread(str(tmp_path / "faces.png")).shape[1] > 6 * 192


@pytest.mark.parametrize("scheme", [FACE15, FACE68], ids=["face15", "face68"])
def test_scheme(call, tmp_path, scheme):
    found = answer(call(scheme.name, "--json"))
    assert len(found["points"]) == len(scheme.points) == len(found["layout"])
    assert found["flip_pairs"] == [list(pair) for pair in scheme.flip_pairs]
    assert set(found["normalisers"]) == set(scheme.normalisers)
    shown = call(scheme.name, "--picture", tmp_path / "scheme.svg").stdout
    assert (tmp_path / "scheme.svg").stat().st_size > 5000
    for region in scheme.regions:
        assert region in shown


@pytest.mark.parametrize("scheme", [FACE15, FACE68], ids=["face15", "face68"])
def test_text_picture_has_every_number_once_about_where_it_belongs(scheme):
    import re

    lines = [re.sub(r"\[/?\w*\]", "", line) for line in text_picture(scheme).splitlines()]
    places = {int(m.group()): (m.start(), row) for row, line in enumerate(lines) for m in re.finditer(r"\d+", line)}
    assert sorted(places) == list(range(len(scheme.points)))
    assert max(map(len, lines)) <= 80
    for (left, top), (x, y) in zip((places[i] for i in sorted(places)), scheme.layout, strict=True):
        assert abs(left - 76 * x) < 6
        assert abs(top - 40 * y) < 12


def test_protocol_lists_every_setting_with_default_and_help(call):
    found = answer(call("uniform", "--json"))
    rows = {row["name"]: row for row in found["settings"]}
    recipe = PROTOCOLS["uniform"].recipe
    for field in fields(recipe):
        value = getattr(recipe, field.name)
        if is_dataclass(value):
            for inner in fields(value):
                assert rows[f"{field.name}.{inner.name}"]["default"] == getattr(value, inner.name)
        elif isinstance(value, dict):
            assert rows[f"{field.name}.cpu"]["default"] == value["cpu"]
        else:
            assert rows[field.name]["default"] == (list(value) if isinstance(value, tuple) else value)
    assert [name for name, row in rows.items() if not row["help"]] == []
    assert rows["codec.loss"]["choices"] == ["smooth_l1", "mse", "root_mse"]
    assert rows["precision.cuda"]["choices"] == ["fp32", "bf16"]
    assert "protocol.augmentation.rotation" in call("uniform").stdout


def test_protocol_with_recipes_of_models(call):
    found = answer(call("article", "--json"))
    assert found["models"] == ["tiny"]
    assert {row["default"] for row in found["settings"]} == {None}
    rows = {row["name"]: row["default"] for row in answer(call("article", "--model", "tiny", "--json"))["settings"]}
    assert (rows["lr"], rows["epochs"]) == (0.25, 3)
    with pytest.raises(FkbenchError, match="no recipe 'article'"):
        call("article", "--model", "lookup")


def test_help_comes_from_the_docstrings():
    assert documented(Recipe)["selection"] == "best weights by validation rmse, or the last"
    assert {row["name"] for row in protocol_rows(Recipe())} >= {"lr", "augmentation.flip", "codec.loss"}


def test_settings_alone(call):
    found = answer(call("faces", "--settings", "--json"))
    assert found == {"name": "faces", "kind": "dataset", "settings": [
        {"name": "count", "default": 40, "help": "how many", "choices": [40, 80]}]}  # fmt: skip
    shown = call("faces", "--settings").stdout
    assert "dataset.count" in shown
    assert "40, 80" in shown
    assert "No settings" in call("numbers", "--settings").stdout
    assert "protocol.lr" in call("uniform", "--settings").stdout


def test_settings_name_their_limits(call):
    (row,) = answer(call("twice", "--kind", "model", "--settings", "--json"))["settings"]
    assert row["help"] == "channels, 1 … 64"


def test_other_plugins(call):
    assert answer(call("plain", "--json"))["kind"] == "runtime"
    assert "as it is" in call("plain").stdout


def test_name_that_two_kinds_share(call):
    with pytest.raises(FkbenchError, match="a model and a metric") as caught:
        call("twice")
    assert "--kind model" in caught.value.remedy
    assert answer(call("twice", "--kind", "metrics", "--json"))["better"] == "higher"
    assert answer(call("twice", "--kind", "model", "--json"))["kind"] == "model"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [(["tinny"], "tiny"), (["unifrom"], "uniform"), (["face86"], "face68"), (["faces", "--kind", "modell"], "models")],
)
def test_unknown_names_are_met_with_near_ones(call, words, wanted):
    with pytest.raises(UnknownNameError) as caught:
        call(*words)
    assert f"Did you mean {wanted}" in caught.value.remedy


def test_names_of_another_kind_are_unknown(call):
    with pytest.raises(UnknownNameError, match="Unknown dataset 'tiny'"):
        call("tiny", "--kind", "dataset")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["uniform", "--graph"], "--graph draws"),
        (["tiny", "--picture"], "--picture draws"),
        (["tiny", "--graph"], "a.bmp"),
        (["faces", "--picture"], "a.bmp"),
    ],
)
def test_pictures_of_the_wrong_thing(call, tmp_path, words, message):
    with pytest.raises(FkbenchError, match=message):
        call(*words, tmp_path / "a.bmp")
    assert list(tmp_path.glob("a*")) == []


def test_unknown_scheme(call):
    with pytest.raises(UnknownNameError, match="scheme 'face14'"):
        call("tiny", "--scheme", "face14")
