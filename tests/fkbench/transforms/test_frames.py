"""The articles' transforms of whole frames: pictures and points move by the same numbers, and crops stay inside."""

from __future__ import annotations

import numpy as np
import pytest

from fkbench.datasets.geometry import cached_rescaled, rescaled, whole_frame_views
from fkbench.datasets.samples import Frames
from fkbench.datasets.store import Store
from fkbench.datasets.views import apply_affine, invert_affine
from fkbench.errors import FkbenchError
from fkbench.specs import Geometry
from fkbench.transforms.frames import (
    Sample,
    crop,
    normalize,
    rescale,
    rescaled_size,
    resize,
    to_grey,
    to_tensor,
)

POINTS = np.array([[30.0, 20.0], [70.0, 50.0]], np.float32)


def blob(height: int, width: int, x: float, y: float) -> np.ndarray:
    """A bright Gaussian at (x, y) on black, three equal channels."""
    rows, columns = np.mgrid[:height, :width]
    grey = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 18)
    return np.repeat(grey[:, :, None].astype(np.uint8), 3, axis=2)


def centre(image: np.ndarray) -> tuple[float, float]:
    weight = image[:, :, 0].astype(float)
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    return (columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum()


@pytest.mark.parametrize(
    ("height", "width", "expected"), [(200, 100, (500, 250)), (100, 201, (250, 502)), (90, 90, (250, 250))]
)
def test_rescale_gives_the_shorter_side_and_cuts_the_longer_to_a_whole_number(height, width, expected):
    assert rescaled_size(height, width, 250) == expected


def test_a_blob_stays_near_its_point_through_every_geometry():
    sample = Sample(blob(80, 100, *POINTS[1]), POINTS)
    for changed in (rescale(sample, 160), resize(sample, 64), crop(rescale(sample, 120), 110, (0.9, 0.9))):
        # The course material has no half pixel in its points, so up to half a new pixel is its own.
        assert np.abs(np.array(centre(changed.image)) - changed.points[1]).max() < 0.8


def test_points_are_multiplied_by_the_factors_alone():
    sample = Sample(np.zeros((80, 100, 3), np.uint8), POINTS)
    np.testing.assert_allclose(resize(sample, 50).points, POINTS * [0.5, 0.625])
    np.testing.assert_allclose(rescale(sample, 160).points, POINTS * 2)


def test_a_crop_never_takes_the_last_offset_and_errs_where_it_exceeds_the_picture():
    sample = Sample(np.arange(20 * 12, dtype=np.uint8).reshape(20, 12, 1), POINTS)
    last = crop(sample, 10, (0.9999, 0.9999))
    np.testing.assert_array_equal(last.image, sample.image[9:19, 1:11])
    np.testing.assert_allclose(last.points, POINTS - [1, 9])
    with pytest.raises(FkbenchError, match="13×13 exceeds the picture of 12×20"):
        crop(sample, 13, (0, 0))


def test_normalize_is_grey_from_0_to_1_and_the_points_of_the_course_material():
    sample = Sample(np.full((4, 5, 3), 255, np.uint8), POINTS)
    image, points = normalize(sample)
    assert (image.shape, float(image.min()), float(image.max())) == ((4, 5, 1), 1.0, 1.0)
    np.testing.assert_allclose(points, [[-1.4, -1.6], [-0.6, -1.0]], atol=1e-6)
    assert to_tensor(image).shape == (1, 4, 5)
    assert to_grey(sample.image).dtype == np.uint8


def frames() -> tuple[Frames, np.ndarray]:
    sizes = [(80, 100), (140, 90), (64, 64)]
    points = np.array([[[30.0, 40.0]], [[50.0, 90.0]], [[20.0, 33.0]]], np.float32)
    images = [blob(h, w, *p[0]) for (h, w), p in zip(sizes, points, strict=True)]
    return Frames.pack(images), points


@pytest.mark.parametrize("geometry", [Geometry("rescale_crop", 72), Geometry("resize")])
@pytest.mark.parametrize("channels", [1, 3])
def test_scored_views_hold_the_points_where_their_maps_say(geometry, channels):
    packed, points = frames()
    views = whole_frame_views(packed, 64, channels, geometry)
    assert views.images.shape == (3, channels, 64, 64)
    moved = apply_affine(invert_affine(views.to_native), points)
    for i in range(3):
        assert np.abs(np.array(centre(views.images[i].transpose(1, 2, 0))) - moved[i, 0]).max() < 0.8


def test_a_crop_larger_than_the_rescaled_frame_is_an_error():
    packed, _ = frames()
    with pytest.raises(FkbenchError, match="exceeds the picture"):
        whole_frame_views(packed, 64, 1, Geometry("rescale_crop", 60))


def test_rescaled_frames_come_back_from_the_store_as_they_were(tmp_path):
    packed, _ = frames()
    store, geometry = Store(tmp_path), Geometry("rescale_crop", 72)
    made = rescaled(packed, 1, geometry)
    for _ in range(2):
        kept = cached_rescaled(store, {"fingerprint": "x"}, packed, 1, geometry)
        np.testing.assert_array_equal(kept.frames.buffer, made.frames.buffer)
        np.testing.assert_array_equal(kept.to_native, made.to_native)
