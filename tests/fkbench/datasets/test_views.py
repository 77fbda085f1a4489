"""Views: what is drawn at a point of a frame lies in the view where the point is mapped to."""

from __future__ import annotations

import numpy as np
import pytest

from fkbench.datasets import views as views_module
from fkbench.datasets.boxes import jittered, reference_squares
from fkbench.datasets.samples import Frames, Samples, Split
from fkbench.datasets.views import affine_to_native, apply_affine, cached_views, cut, invert_affine, make_views
from fkbench.registry import load_registry
from fkbench.runner.inputs import Inputs
from fkbench.specs import DatasetSpec, DetectorSpec

IDENTITY = np.array([[1.0, 0, 0], [0, 1.0, 0]])


def blob(height: int, width: int, x: float, y: float, sigma: float) -> np.ndarray:
    """A bright spot on black, (H, W) uint8, its centre at pixel coordinates (x, y)."""
    rows, columns = np.mgrid[:height, :width]
    return (250 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))).round().astype(np.uint8)


def centroid(image: np.ndarray) -> np.ndarray:
    """(x, y) of the centre of light of (H, W)."""
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.array([(image * columns).sum(), (image * rows).sum()]) / image.sum()


# --- the map ------------------------------------------------------------------------------------------------------


def test_a_canvas_pixel_by_hand():
    """Box of 50 px in 25: two native pixels each. The box's first pixel, (3, 3) behind the pad, covers 10…12 × 20…22,
    whose middle is native pixel (10.5, 20.5); one canvas pixel on are two native ones."""
    maps = affine_to_native(np.array([[10.0, 20, 50, 50]]), 25, 3)
    found = apply_affine(maps, np.array([[[3, 3], [4, 3], [0, 27]]]))
    np.testing.assert_array_equal(found, [[[10.5, 20.5], [12.5, 20.5], [4.5, 68.5]]])
    assert found.dtype == np.float32


def test_a_box_of_its_own_size_at_the_corner_is_the_identity():
    np.testing.assert_array_equal(affine_to_native(np.array([[0.0, 0, 96, 96]]), 96, 0), [IDENTITY])


def test_there_and_back():
    rng = np.random.default_rng(2)
    side = rng.uniform(10, 900, 50)
    maps = affine_to_native(np.column_stack([rng.uniform(-100, 600, (50, 2)), side, side]), 96, 24)
    maps[:, 0, 1], maps[:, 1, 0] = rng.normal(0, 0.3, (2, 50))  # the inverse is that of any affine map
    points = rng.uniform(-50, 700, (50, 15, 2))
    np.testing.assert_allclose(apply_affine(maps, apply_affine(invert_affine(maps), points)), points, atol=0.01)
    again = invert_affine(invert_affine(maps))
    np.testing.assert_allclose(again, maps, rtol=1e-9, atol=1e-9)


# --- the pictures -------------------------------------------------------------------------------------------------

CASES = {
    "shrunk": ((30.0, 12.5, 160, 160), 48, 0.0, (97.3, 81.8), 7.0),
    "shrunk a lot": ((3.0, 1.0, 190, 190), 32, 0.0, (61.4, 120.7), 14.0),
    "enlarged": ((80.0, 61.2, 40, 40), 96, 0.0, (104.2, 79.6), 3.0),
    "shrunk, margin": ((50.0, 50.0, 100, 100), 64, 0.25, (73.3, 131.8), 5.0),
    "enlarged, margin": ((90.25, 80.5, 30, 30), 96, 0.25, (101.7, 97.1), 2.5),
    "in the margin": ((90.0, 80.0, 60, 60), 60, 0.5, (72.4, 152.3), 3.0),
    "over the upper left border": ((-60.0, -45.5, 150, 150), 64, 0.0, (52.2, 47.7), 6.0),
    "over the lower right border": ((120.0, 110.0, 180, 180), 96, 0.1, (170.6, 148.1), 6.0),
    "as large as the frame and more": ((-20.0, -40.0, 260, 260), 96, 0.25, (110.1, 88.9), 8.0),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("colour", [False, True])
def test_a_spot_lies_where_its_centre_is_mapped_to(case, colour):
    box, size, margin, point, sigma = CASES[case]
    frame = blob(200, 220, *point, sigma)
    if colour:
        frame = np.stack([frame, frame // 2, frame], axis=2)
    found = make_views(Frames.pack([frame]), np.array([box]), size, 1, margin)
    side = size + 2 * found.pad
    assert found.images.shape == (1, 1, side, side)
    assert found.pad == pytest.approx(margin * size, abs=1)
    expected = apply_affine(invert_affine(found.to_native), np.array([[point]]))[0, 0]
    assert (sigma * size / box[2] * 3 < expected).all()  # the whole spot is in the picture
    np.testing.assert_allclose(centroid(found.images[0, 0].astype(float)), expected, atol=0.1)


def test_the_whole_frame_at_its_own_size_is_the_frame_bit_for_bit():
    images = np.random.default_rng(3).integers(0, 256, (4, 96, 96), np.uint8)
    boxes = np.tile([0.0, 0, 96, 96], (4, 1))
    found = make_views(Frames.stack(images), boxes, 96, 1)
    np.testing.assert_array_equal(found.images[:, 0], images)
    np.testing.assert_array_equal(found.to_native, np.tile(IDENTITY, (4, 1, 1)))
    coloured = np.random.default_rng(4).integers(0, 256, (2, 96, 96, 3), np.uint8)
    np.testing.assert_array_equal(
        make_views(Frames.stack(coloured), boxes[:2], 96, 3).images, coloured.transpose(0, 3, 1, 2)
    )


def test_a_part_at_whole_pixels_is_a_slice_and_the_border_is_repeated():
    frame = np.random.default_rng(5).integers(0, 256, (40, 50), np.uint8)
    boxes = np.array([[7.0, 11, 20, 20], [-4, -3, 20, 20]])
    found = make_views(Frames.stack(np.stack([frame, frame])), boxes, 20, 1).images[:, 0]
    np.testing.assert_array_equal(found[0], frame[11:31, 7:27])
    np.testing.assert_array_equal(found[1], np.pad(frame[:17, :16], ((3, 0), (4, 0)), mode="edge"))


def test_channels():
    primaries = np.zeros((6, 6, 3), np.uint8)
    primaries[0:2, :, 0] = primaries[2:4, :, 1] = primaries[4:6, :, 2] = 200
    grey = cut(primaries, IDENTITY, 6, 1)
    np.testing.assert_array_equal(grey[0, ::2, 0], [60, 117, 23])  # 200 × 0.299, 0.587, 0.114 (BT.601)
    assert grey.shape == (1, 6, 6)
    ramp = np.arange(36, dtype=np.uint8).reshape(6, 6, 1)
    np.testing.assert_array_equal(cut(ramp, IDENTITY, 6, 3), np.repeat(ramp.transpose(2, 0, 1), 3, axis=0))


def test_shrinking_does_not_alias():
    """Stripes of one pixel become an even grey, not stripes of another width."""
    frame = np.zeros((96, 96), np.uint8)
    frame[:, ::2] = 200
    found = make_views(Frames.pack([frame]), np.array([[0.0, 0, 96, 96]]), 38, 1).images[0, 0, :, 4:-4]
    assert found.std() < 8
    assert found.mean() == pytest.approx(100, abs=3)


def test_enlarging_draws_a_straight_line_between_pixels():
    frame = np.tile(np.arange(0, 240, 20, dtype=np.uint8), (12, 1))
    found = make_views(Frames.pack([frame]), np.array([[0.0, 0, 12, 12]]), 48, 1)
    native = apply_affine(found.to_native, np.array([[[x, 20] for x in range(2, 46)]]))[0, :, 0]
    np.testing.assert_allclose(found.images[0, 0, 20, 2:46], 20 * native, atol=1)


def test_progress_counts_frames():
    heard = []
    frames = Frames.stack(np.zeros((130, 4, 4), np.uint8))
    make_views(frames, np.tile([0.0, 0, 4, 4], (130, 1)), 4, 1, progress=heard.append)
    assert heard == [64, 64]


# --- views of a dataset -------------------------------------------------------------------------------------------

COUNT = 5


@pytest.fixture
def faces() -> Samples:
    """A spot at the first of 15 points in every frame; the faces differ in place and size."""
    rng = np.random.default_rng(6)
    points = rng.uniform(0, 1, (COUNT, 15, 2)) * rng.uniform(50, 80, (COUNT, 1, 1)) + rng.uniform(30, 50, (COUNT, 1, 2))
    points[:, 0] = points.mean(axis=1) + rng.uniform(-5, 5, (COUNT, 2))
    frames = Frames.pack([blob(150 + i, 170, *points[i, 0], 4.0) for i in range(COUNT)])
    names = tuple(f"face-{i}" for i in range(COUNT))
    points[2, 9] = np.nan
    return Samples(names, frames, points.astype(np.float32), names, "sha256:faces")


def inputs_of(faces, store, box="truth", **fields) -> Inputs:
    fields = {"boxes": ("frame", "truth"), "scoring": "face224", "margin": 0.25} | fields
    spec = DatasetSpec(name="hand", scheme="face15", load=lambda store, settings: faces, **fields)
    split = Split("default", 1, np.array([0, 1]), np.array([2]), np.array([3, 4]))
    return Inputs(spec, store, faces, split, load_registry().get(DetectorSpec, box), {})


def test_scoring_sees_a_jittered_box_and_training_a_margin_around_the_true_one(faces, store):
    inputs = inputs_of(faces, store)
    scored, trained = inputs.eval_views(32, 1), inputs.canvases(32, 1)
    assert (scored.images.shape, scored.pad) == ((COUNT, 1, 32, 32), 0)
    assert (trained.images.shape, trained.pad) == ((COUNT, 1, 48, 48), 8)
    squares = reference_squares(faces.points)
    np.testing.assert_allclose(trained.to_native, affine_to_native(squares, 32, 8), rtol=1e-12)
    moved = jittered(squares, faces.ids, 0.05)
    np.testing.assert_allclose(scored.to_native, affine_to_native(moved, 32, 0), rtol=1e-12)
    assert (np.abs(moved - squares).max(axis=1) > 0.1).all()
    assert not np.array_equal(scored.images, trained.images[:, :, 8:-8, 8:-8])


def test_without_a_margin_the_jitter_alone_tells_scoring_from_training(faces, store):
    inputs = inputs_of(faces, store, margin=0.0)
    scored, trained = inputs.eval_views(32, 1), inputs.canvases(32, 1)
    assert not np.array_equal(scored.to_native, trained.to_native)
    np.testing.assert_allclose(trained.to_native, affine_to_native(reference_squares(faces.points), 32, 0), rtol=1e-12)


@pytest.mark.parametrize("which", ["eval_views", "canvases"])
def test_points_of_a_batch_lie_on_the_picture_and_lead_back(faces, store, which):
    import torch

    inputs = inputs_of(faces, store)
    found = getattr(inputs, which)(48, 1)
    rows = np.array([4, 0, 2])
    batch = inputs.resident(found, rows, torch.device("cpu"))
    for image, points in zip(batch.images.numpy(), batch.points.numpy(), strict=True):
        np.testing.assert_allclose(centroid(image[0].astype(float)), points[0], atol=0.1)
    back = apply_affine(found.to_native[rows], batch.points.numpy())
    valid = batch.valid.numpy()
    np.testing.assert_array_equal(valid, np.isfinite(faces.points[rows]).all(axis=2))
    np.testing.assert_allclose(back[valid], faces.points[rows][valid], atol=1e-3)
    assert np.isfinite(batch.points.numpy()).all()
    assert batch.pad == found.pad


def test_a_view_pixel_of_the_true_square_is_a_known_part_of_the_scoring_frame(faces, store):
    import torch

    inputs = inputs_of(faces, store)
    batch = inputs.resident(inputs.canvases(32, 1), np.arange(COUNT), torch.device("cpu"))
    np.testing.assert_allclose(batch.unit.numpy(), 224 / 32, rtol=1e-6)


def test_frames_that_are_views_already_are_used_in_place(faces, store):
    images = np.random.default_rng(7).integers(0, 256, (COUNT, 32, 32), np.uint8)
    frames = Frames.stack(images)
    samples = Samples(faces.ids, frames, faces.points, faces.group, "sha256:crops")
    inputs = inputs_of(samples, store, "frame", boxes=("frame",), scoring="own", margin=0.0)
    found = inputs.eval_views(32, 1)
    assert np.shares_memory(found.images, frames.buffer)
    assert inputs.canvases(32, 1) is found
    plain = make_views(frames, np.tile([0.0, 0, 32, 32], (COUNT, 1)), 32, 1)
    np.testing.assert_array_equal(found.images, plain.images)
    np.testing.assert_array_equal(found.to_native, plain.to_native)


# --- the cache ----------------------------------------------------------------------------------------------------


def test_the_second_time_the_same_bytes_come_from_the_store(faces, store, monkeypatch):
    squares = reference_squares(faces.points)
    arguments = (store, {"fingerprint": "x"}, faces.frames, squares, 32, 1, 0.25)
    first = cached_views(*arguments)
    fresh = make_views(faces.frames, squares, 32, 1, 0.25)
    monkeypatch.setattr(views_module, "make_views", lambda *a, **k: pytest.fail("cut again"))
    second = cached_views(*arguments)
    for one in (first, second):
        assert one.images.tobytes() == fresh.images.tobytes()
        assert one.to_native.tobytes() == fresh.to_native.tobytes()
        assert (one.size, one.pad) == (fresh.size, fresh.pad) == (32, 8)


@pytest.mark.parametrize("change", ["key", "size", "channels", "margin", "version"])
def test_everything_that_changes_a_view_has_a_place_of_its_own(faces, store, monkeypatch, change):
    stated = {"key": {"fingerprint": "x"}, "size": 32, "channels": 1, "margin": 0.25}
    other = {"key": {"fingerprint": "y"}, "size": 24, "channels": 3, "margin": 0.26}

    def places(given) -> set[str]:
        cached_views(store, given["key"], faces.frames, reference_squares(faces.points),
                     given["size"], given["channels"], given["margin"])  # fmt: skip
        return {page.parent.name for page in store.folder("views").glob("*/*.json")}

    assert len(places(stated)) == 1
    if change == "version":
        monkeypatch.setattr(views_module, "VIEWS_VERSION", views_module.VIEWS_VERSION + 1)
    assert len(places(stated | {change: other.get(change)} if change in other else stated)) == 2
    assert len(places(stated)) == 2


def test_boxes_of_one_dataset_do_not_share_views(faces, store):
    for box in ("truth", "frame"):
        inputs = inputs_of(faces, store, box)
        inputs.eval_views(32, 1)
        inputs.canvases(32, 1)
    assert len(list(store.folder("views").glob("*/*.json"))) == 4
    again = inputs_of(faces, store).eval_views(32, 1)
    np.testing.assert_allclose(
        again.to_native, affine_to_native(jittered(reference_squares(faces.points), faces.ids, 0.05), 32, 0), rtol=1e-12
    )
