"""youtube15: where faces are cut, how they are resampled, and that points follow."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from fkbench_plugins.datasets.youtube15 import faces, framing
from fkbench_plugins.datasets.youtube15.framing import Framing, cut

from fkbench.datasets.access import open_samples
from fkbench.datasets.importing import import_dataset
from fkbench.datasets.splits import get_split
from fkbench.errors import DataMissingError
from fkbench.specs import DatasetSpec


@pytest.fixture
def spec(registry, store, youtube_zip) -> DatasetSpec:
    import_dataset(registry.get(DatasetSpec, "youtube68"), store, youtube_zip)
    return registry.get(DatasetSpec, "youtube15")


def centres(points):
    return points[36:42].mean(axis=0), points[42:48].mean(axis=0)


def test_faces_are_framed_as_defined(registry, store, spec):
    """Undo each crop's map: eye midpoint and side are those of the definition, within the jitter's bounds."""
    native = open_samples(registry.get(DatasetSpec, "youtube68"), store)
    samples = open_samples(spec, store)
    sides, middles = [], []
    for points, name, cropped in zip(native.points.astype(float), native.ids, samples.points, strict=True):
        right, left = centres(points)
        width = np.ptp(points[:, 0])
        side = 96 * max(np.hypot(*(left - right)), 0.42 * width) / 36
        place = framing.framing(points.astype(np.float32), name)
        sides.append(96 / place.scale / side - 1)
        middles.append(place.map(((left + right) / 2)[None].astype(np.float32))[0] - [48.3, 37.8])
        expected = np.array([points[list(part)].mean(axis=0) for part in projection()])
        np.testing.assert_allclose(cropped, expected * place.scale + place.shift, atol=1e-3)
    assert 0.045 < np.abs(sides).max() <= 0.06
    assert np.all((np.abs(middles).max(axis=0) > 2.2) & (np.abs(middles).max(axis=0) <= 3.0 + 1e-4))
    assert np.abs(np.mean(middles, axis=0)).max() < 0.8


def projection():
    one = ((42, 43, 44, 45, 46, 47), (36, 37, 38, 39, 40, 41))
    return one + tuple((i,) for i in (42, 45, 39, 36, 22, 26, 21, 17, 30, 54, 48, 51, 57))


def test_the_jitter_depends_on_the_id_alone(registry, store, spec):
    points = open_samples(registry.get(DatasetSpec, "youtube68"), store).points[0]
    same, again, other = (framing.framing(points, name) for name in ("a", "a", "b"))
    assert same == again
    assert same.scale != other.scale


@pytest.mark.parametrize("scale", [0.3, 0.77, 1.0, 1.9])
def test_a_drawn_spot_lands_where_its_label_does(scale):
    """The centre of mass of a blurred spot in the crop is the mapped point: no half-pixel shift at any scale."""
    height, width = 400, 380
    x, y = 171.3, 204.6
    rows, columns = np.mgrid[:height, :width]
    sigma = 4 / min(scale, 1)
    spot = 250 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
    frame = np.repeat(np.round(spot).astype(np.uint8)[:, :, None], 3, axis=2)
    place = Framing(scale, (48.2 - scale * x, 50.7 - scale * y))
    crop = cut(frame, place).astype(float)
    found = np.array([(crop * np.arange(96)).sum(), (crop * np.arange(96)[:, None]).sum()]) / crop.sum()
    np.testing.assert_allclose(found, [48.2, 50.7], atol=0.05)


def test_shrinking_does_not_alias():
    """A one-pixel checkerboard becomes plain grey, not stripes."""
    board = ((np.indices((400, 400)).sum(axis=0) % 2) * 255).astype(np.uint8)
    crop = cut(np.repeat(board[:, :, None], 3, axis=2), Framing(0.27, (-6.0, -5.0)))
    assert np.abs(crop.astype(int) - 127.5).max() < 8


def test_a_crop_at_native_size_is_the_frame_in_grey():
    frame = np.random.default_rng(3).integers(0, 256, (120, 130, 3), np.uint8)
    crop = cut(frame, Framing(1.0, (-11.0, -7.0)))
    np.testing.assert_array_equal(crop, cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)[7:103, 11:107])


def test_beyond_the_frame_its_edge_goes_on():
    frame = np.random.default_rng(3).integers(0, 256, (60, 60, 3), np.uint8)
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    crop = cut(frame, Framing(1.0, (20.0, 20.0)))
    np.testing.assert_array_equal(crop, cv2.copyMakeBorder(grey, 20, 16, 20, 16, cv2.BORDER_REPLICATE))
    away = cut(frame, Framing(1.0, (500.0, 20.0)))
    assert set(away[40].tolist()) == {int(grey[20, 0])}


def test_it_inherits_persons_clips_and_splits(registry, store, spec):
    parent_spec = registry.get(DatasetSpec, "youtube68")
    parent, samples = open_samples(parent_spec, store), open_samples(spec, store)
    assert (samples.ids, samples.group, samples.clip) == (parent.ids, parent.group, parent.clip)
    assert samples.frames.shapes.tolist() == [[96, 96, 1]] * len(parent)
    assert samples.unlabelled is None
    assert samples.fingerprint != parent.fingerprint
    for name in ("identity", "official"):
        ours, theirs = get_split(spec, samples, name), get_split(parent_spec, parent, name)
        assert ours.test.tolist() == theirs.test.tolist()


def test_it_is_cut_once_and_again_when_the_frames_change(registry, store, spec, tmp_path, youtube_files, monkeypatch):
    first = open_samples(spec, store)
    monkeypatch.setattr(faces, "_build", None)
    assert open_samples(spec, store).fingerprint == first.fingerprint
    monkeypatch.undo()
    youtube_files["test/Ann_O-Nym_00_00.jpg"] = youtube_files["test/Ann_O-Nym_00_01.jpg"]
    for name, data in youtube_files.items():
        (tmp_path / "other" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "other" / name).write_bytes(data)
    import_dataset(registry.get(DatasetSpec, "youtube68"), store, tmp_path / "other")
    assert open_samples(spec, store).fingerprint != first.fingerprint


def test_without_the_frames_it_says_what_to_get(registry, store):
    with pytest.raises(DataMissingError, match="'youtube15' is not on this machine") as caught:
        open_samples(registry.get(DatasetSpec, "youtube15"), store, registry=registry)
    assert "data get youtube68" in caught.value.remedy
    assert "synthetic15" in caught.value.remedy
