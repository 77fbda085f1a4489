"""An augmented batch is what training sees."""

from __future__ import annotations

import numpy as np
import pytest

from fkbench.cli.data_transforms import BATCH_SIZE, augmented_cells
from fkbench.cli.session import Session
from fkbench.registry import load_registry
from fkbench.specs import DatasetSpec

REGISTRY = load_registry()


@pytest.mark.parametrize("name", [spec.name for spec in REGISTRY.all(DatasetSpec) if spec.embedded])
def test_a_batch_under_uniform_is_augmented_and_repeats(name, tmp_path):
    session = Session(tmp_path, None, [], False, True, False)
    spec = REGISTRY.get(DatasetSpec, name)
    one, two = (augmented_cells(session, spec, "uniform", "", {"count": 40}, 6) for _ in range(2))
    assert len(one.images) == len(one.points) == len(one.titles) == 6
    assert one.images[0].shape == (BATCH_SIZE, BATCH_SIZE, spec.channels)
    np.testing.assert_array_equal(np.stack(one.images), np.stack(two.images))
    plain = augmented_cells(session, spec, "smoke", "", {"count": 40}, 6)  # mirrors at most
    assert not np.array_equal(plain.images[0], one.images[0])
