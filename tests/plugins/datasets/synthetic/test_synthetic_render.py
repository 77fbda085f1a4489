"""The synthetic renderer: repeatable to the byte, labels on the features, faces worth learning from."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import cv2
import numpy as np
import pytest
from fkbench_plugins.datasets.synthetic import (
    backdrop,
    controls,
    factors,
    geometry,
    modes,
    outlines,
    pool,
    pose,
    render,
)
from fkbench_plugins.datasets.synthetic.draws import Draws
from fkbench_plugins.datasets.synthetic.render import Rendered

from fkbench.errors import FkbenchError

FLIP = [
    *range(16, -1, -1),
    *range(26, 16, -1),
    *range(27, 31),
    *range(35, 30, -1),
    45,
    44,
    43,
    42,
    47,
    46,
    39,
    38,
    37,
    36,
    41,
    40,
    *range(54, 47, -1),
    *range(59, 54, -1),
    *range(64, 59, -1),
    67,
    66,
    65,
]


POINTS_SHA256 = "4d886da14b5d4b37967ad9e87c73578aa00a3541e3889c9fb590fdb72a1bde3c"
IMAGES_SHA256 = "7f2224d9e086a5707df30739b7932bd77eb56956def36898608aa9e509e7dfa6"


@pytest.fixture(scope="module")
def many() -> Rendered:
    """300 pictures of seed 0, rendered in this process."""
    return render.render(0, range(300), workers=1)


def same(a: Rendered, b: Rendered, rows: list[int] | slice = slice(None)) -> bool:
    """Whether rows of `a` are the whole of `b`, byte for byte, factors included."""
    parts = [np.array_equal(a.images[rows], b.images), np.array_equal(a.points[rows], b.points)]
    return all(parts) and all(np.array_equal(a.factors[k][rows], b.factors[k]) for k in a.factors)


def test_shapes_and_types(many: Rendered) -> None:
    assert many.images.shape == (300, 96, 96)
    assert many.images.dtype == np.uint8
    assert many.points.shape == (300, 68, 2)
    assert many.points.dtype == np.float32
    assert all(v.shape == (300,) for v in many.factors.values())
    names = {"yaw", "pitch", "roll", "light", "expression", "smile", "occluder", "glasses", "hair", "beard", "blur"}
    assert names <= set(many.factors)
    assert np.array_equal(many.points * 64, np.round(many.points * 64))


def test_a_picture_does_not_depend_on_its_company(many: Rendered) -> None:
    rows = [250, 3, 131, 3]
    assert same(many, render.render(0, rows), rows)


def test_worker_processes_change_nothing(many: Rendered) -> None:
    seen: list[int] = []
    assert same(many, render.render(0, range(300), workers=2, progress=seen.append))
    assert sum(seen) == 300


def test_a_dying_worker_is_made_up_for(many: Rendered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_BOOT", "raise SystemExit(1)")
    assert same(many, render.render(0, range(300), workers=2))


def test_a_script_without_main_guard_can_use_workers() -> None:
    code = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "from fkbench_plugins.datasets.synthetic.render import render\n"
        "print(render(0, range(260), 32, workers=2).images.shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "(260, 32, 32)"
    assert done.stderr == ""


def test_seeds_and_indices_differ(many: Rendered) -> None:
    assert len({picture.tobytes() for picture in many.images}) == 300
    assert not np.array_equal(render.render(1, [0]).points, many.points[:1])


def test_another_size_is_the_same_scene(many: Rendered) -> None:
    large = render.render(0, range(40), size=192)
    assert large.images.shape == (40, 192, 192)
    assert np.abs((large.points + 0.5) / 2 - 0.5 - many.points[:40]).max() <= 1 / 64
    small = large.images.reshape(40, 96, 2, 96, 2).mean(axis=(2, 4))
    plain = many.factors["noise"][:40] < 4
    difference = np.abs(small - many.images[:40]).mean(axis=(1, 2))
    assert plain.sum() >= 5
    assert difference[plain].max() < 12


def test_labels_and_pictures_are_the_published_ones(many: Rendered) -> None:
    """Guards "the same bytes on every machine": a change of any byte needs a new RENDER_VERSION and new hashes."""
    assert render.RENDER_VERSION == 2
    assert hashlib.sha256(many.points.astype("<f4").tobytes()).hexdigest() == POINTS_SHA256
    assert hashlib.sha256(many.images.tobytes()).hexdigest() == IMAGES_SHA256


def test_framing_is_kaggles(many: Rendered) -> None:
    right, left = many.points[:, 36:42].mean(axis=1), many.points[:, 42:48].mean(axis=1)
    middle = (right + left) / 2
    assert middle.mean(axis=0) == pytest.approx([48.3, 37.8], abs=0.6)
    assert 1.0 < middle.std(axis=0).max() < 4.0
    frontal = np.abs(many.factors["yaw"]) < 8
    assert np.linalg.norm(left - right, axis=1)[frontal].mean() == pytest.approx(36, abs=1.2)
    inside = ((many.points[:, 17:] >= 0) & (many.points[:, 17:] <= 95)).all(axis=-1)
    assert inside.mean() > 0.97


def test_faces_vary_but_not_absurdly(many: Rendered) -> None:
    spread = many.points[:, 17:].std(axis=0)
    assert 3.0 < np.sqrt((spread**2).mean()) < 5.5
    assert spread.min() > 1.5
    for name, limit in (("yaw", 40), ("pitch", 20), ("roll", 20)):
        assert 0.5 * limit < np.abs(many.factors[name]).max() <= limit
    assert set(many.factors["hair"].astype(int)) == set(range(len(factors.HAIR)))
    assert {0, 1, 2} <= set(many.factors["glasses"].astype(int))
    assert 0.6 < (many.factors["occluder"] == 0).mean() < 0.9


def test_pose_moves_the_points_as_on_a_head(many: Rendered) -> None:
    points, yaw = many.points, many.factors["yaw"]
    nose = points[:, 30, 0] - points[:, [36, 39, 42, 45], 0].mean(axis=1)
    assert np.corrcoef(nose, yaw)[0, 1] > 0.85
    width = {k: np.linalg.norm(points[:, k] - points[:, k + 3], axis=1) for k in (36, 42)}
    assert np.corrcoef(width[36] / width[42], yaw)[0, 1] > 0.8
    slope = np.degrees(np.arctan2(*(points[:, 45] - points[:, 36]).T[::-1]))
    assert np.corrcoef(slope, many.factors["roll"])[0, 1] > 0.9


def test_no_feature_leaves_the_outline_of_the_turned_face(many: Rendered) -> None:
    """The far side's hidden jaw points have marched to the visible outline, so that the eyes stay within it."""
    left, right = many.points[:, 0:17, 0].min(axis=1), many.points[:, 0:17, 0].max(axis=1)
    eyes = many.points[:, 36:48, 0]
    assert (eyes > left[:, None] - 1).all()
    assert (eyes < right[:, None] + 1).all()


def _clear(r: Rendered) -> np.ndarray:
    """Pictures in which nothing hides or drowns the features."""
    f = r.factors
    plain = (f["occluder"] == 0) & (f["glasses"] == 0) & (f["noise"] < 6) & (f["blur"] < 2) & (f["coarse"] == 0)
    return np.asarray(plain & (f["shadow"] == 0) & (f["skin"] > 120))


def test_labels_lie_on_the_features(many: Rendered) -> None:
    """At the irises it is darker than on the cheek under the eye; at the nostrils darker than on the nose's bridge."""
    rows = np.flatnonzero(_clear(many) & (many.factors["blink_left"] < 0.4))
    assert len(rows) > 30

    def at(points: np.ndarray) -> np.ndarray:
        x, y = np.clip(np.rint(points), 0, 95).astype(int).T
        return many.images[rows, y, x].astype(float)

    p = many.points[rows]
    cheek = at((p[:, 46] + p[:, 47]) / 2 + (p[:, 33] - p[:, 28]) * 0.3)
    eye = np.min([at(p[:, 42:48].mean(axis=1) + np.array([dx, 0])) for dx in (-2, -1, 0, 1, 2)], axis=0)
    assert (eye < cheek).mean() > 0.9
    assert (at((p[:, 32] + p[:, 31]) / 2) < at(p[:, 29])).mean() > 0.8


def test_polygons_are_drawn_where_their_coordinates_say() -> None:
    """Pixel centres lie at integers: on average a drawn outline is not shifted against its label, at any size."""
    rng = np.random.default_rng(0)
    for size in (96, 192):
        shifts = []
        for _ in range(200):
            centre = rng.uniform(30, 60, 2)
            corners = centre + rng.uniform(3, 12) * controls.circle(12)
            picture = np.zeros((size, size), np.uint8)
            cv2.fillPoly(picture, [outlines.fixed(corners[None], size, 6)[0]], 255, cv2.LINE_AA, 6)
            y, x = np.mgrid[:size, :size]
            weight = picture / picture.sum()
            middle = np.array([(weight * x).sum(), (weight * y).sum()])
            shifts.append((middle + 0.5) * 96 / size - 0.5 - centre)
        assert np.abs(np.mean(shifts, axis=0)).max() < 0.04
        assert np.std(shifts, axis=0).max() < 0.2


def test_the_background_does_not_know_the_face(many: Rendered) -> None:
    """No coordinate of the clutter goes with the place, the turn or the roll of the face."""
    parts = backdrop.clutter(Draws(0, range(300), render.RENDER_VERSION))
    shapes = np.concatenate([part.mean(axis=1) for part in parts.values() if part.shape[1] == 10], axis=1)
    face = np.stack([many.points[:, 30, 0], many.points[:, 30, 1], many.factors["yaw"], many.factors["roll"]])
    together = np.corrcoef(np.concatenate([shapes.T, face]))[: shapes.shape[1], shapes.shape[1] :]
    assert np.abs(together).max() < 0.26


def test_mean_shape_is_symmetric() -> None:
    mirrored = geometry.MEAN_SHAPE[FLIP] * [-1, 1, 1]
    assert np.array_equal(mirrored, geometry.MEAN_SHAPE)


@pytest.mark.parametrize("name", sorted(modes.IDENTITY | modes.EXPRESSION))
def test_every_mode_moves_some_points_and_not_too_far(name: str) -> None:
    field = (modes.IDENTITY | modes.EXPRESSION)[name]
    assert field.shape == (68, 3)
    assert 0.5 < np.abs(field).max() < 30


def test_sine_and_cosine() -> None:
    angles = np.linspace(-1.2, 1.2, 1001)
    assert np.abs(pose.sine(angles) - np.sin(angles)).max() < 1e-15
    assert np.abs(pose.cosine(angles) - np.cos(angles)).max() < 1e-15


def test_draws_are_uniform_and_named() -> None:
    d = Draws(5, range(20000), 1)
    u = d.uniform("a")
    assert np.abs(np.histogram(u, 10, (0, 1))[0] - 2000).max() < 250
    assert abs(np.corrcoef(u, d.uniform("b"))[0, 1]) < 0.03
    assert np.array_equal(u, d.uniform("a"))
    assert d.bells("c", 1).std() == pytest.approx(1, abs=0.03)
    assert np.bincount(d.pick("d", (1, 3))) / 20000 == pytest.approx([0.25, 0.75], abs=0.02)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"indices": [-1]}, "negative"),
        ({"indices": [0], "size": 8}, "size"),
        ({"indices": [0], "workers": 0}, "workers"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, object], word: str) -> None:
    with pytest.raises(FkbenchError, match=word):
        render.render(0, **arguments)  # type: ignore[arg-type]


def test_nothing_asked_nothing_rendered() -> None:
    nothing = render.render(0, [])
    assert nothing.images.shape == (0, 96, 96)
    assert nothing.points.shape == (0, 68, 2)
