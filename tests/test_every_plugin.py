"""One registry-driven test for every plugin: adding a model or dataset adds no test file.

The shipped conformance kit runs over all that is registered, one test for each plugin and check; beside it stand the
rules of this repository, which strangers' plugins need not keep.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fkbench.datasets.boxes import find_boxes
from fkbench.datasets.importing import import_dataset
from fkbench.datasets.samples import Frames, Samples
from fkbench.datasets.store import Store
from fkbench.records import safe_name
from fkbench.registry import KINDS, load_registry
from fkbench.schemes import SCHEMES
from fkbench.specs import DatasetSpec, DetectorSpec, ModelSpec, resolve
from fkbench.testing import conformance, suite_of

REGISTRY = load_registry()
SPECS = [spec for kind in KINDS.values() for spec in REGISTRY.all(kind)]
DATASETS = REGISTRY.all(DatasetSpec)
ORACLES = [spec for spec in REGISTRY.all(DetectorSpec) if spec.role == "oracle"]
NOWHERE = Path(__file__).parent / "no-data"
"""A data folder that is not there: what has to be imported is skipped here, and checked below on the real archives."""


def name_of(spec):
    return spec.name


test_every_plugin_conforms = conformance(
    *REGISTRY.buildable(), *(spec for spec in SPECS if not isinstance(spec, ModelSpec)), data=NOWHERE
)


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.parametrize(
    ("archive", "names"),
    [("kaggle15-shaped.zip", ("kaggle15",)), ("youtube68.zip", ("youtube68", "youtube15"))],
)
def test_every_imported_dataset_conforms(archive, names, store: Store, shared_data):
    import_dataset(REGISTRY.get(DatasetSpec, names[0]), store, shared_data / archive)
    for name in names:
        found = list(suite_of(REGISTRY.get(DatasetSpec, name), store=store))
        assert [finding for finding in found if finding.status != "passed"] == []


@pytest.mark.parametrize("spec", SPECS, ids=name_of)
def test_every_name_is_its_own_folder(spec):
    assert spec.name == safe_name(spec.name)


@pytest.mark.parametrize("spec", DATASETS, ids=name_of)
def test_every_dataset_names_a_built_in_scheme_an_honest_default_and_its_terms(spec):
    assert spec.scheme in SCHEMES
    for protocol in ("uniform", "article", "smoke"):
        assert spec.default_split(protocol) in {split.name for split in spec.splits}
        assert spec.default_box(protocol) in spec.boxes
    assert not next(split for split in spec.splits if split.name == spec.default_split("uniform")).leaky
    assert spec.terms.licence not in {"", "unknown"}
    for ref in (spec.load, spec.split, spec.importer, spec.acquire):
        assert ref is None or callable(resolve(ref))


@pytest.mark.parametrize("spec", ORACLES, ids=name_of)
def test_every_oracle_gives_a_square_around_the_face(spec):
    frames = Frames.pack([np.zeros((60, 90, 3), np.uint8), np.zeros((50, 40, 3), np.uint8)])
    points = np.array([[[20, 20], [40, 30]], [[5, 9], [30, 40]]], np.float32)
    settings = {name: setting.default for name, setting in spec.settings.items()}
    boxes, missed = find_boxes(spec, Samples(("a", "b"), frames, points, ("a", "b"), ""), settings)
    assert boxes.shape == (2, 4)
    assert not missed.any()
    assert (boxes[:, 2] == boxes[:, 3]).all()
    assert (boxes[:, :2] <= points.min(axis=1)).all()
    assert (boxes[:, :2] + boxes[:, 2:] >= points.max(axis=1)).all()
