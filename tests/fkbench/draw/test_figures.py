"""Figures: curves, schemes and architectures."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

from fkbench.draw.architecture import architecture_picture, short_number
from fkbench.draw.curves import loss_curve
from fkbench.draw.schemes import label_offsets, scheme_picture
from fkbench.errors import FkbenchError
from fkbench.schemes import FACE15, FACE68, SCHEMES, Scheme
from fkbench.timing.layers import layer_table

HISTORY = [
    {"epoch": e, "lr": 0.1 / e, "train_loss": 1.0 / e, "val_loss": 1.2 / e, "val_rmse": 2 + abs(e - 7) / 5}
    for e in range(1, 11)
]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that were saved."""
    seen: list[Figure] = []
    keep = Figure.savefig

    def savefig(self: Figure, *args, **kwargs):
        seen.append(self)
        return keep(self, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", savefig)
    return seen


def labels(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_loss_curve_marks_the_best_epoch_and_the_baselines(tmp_path, drawn):
    path = loss_curve(HISTORY, tmp_path / "a.png", title="net", baseline_rmse={"mean-shape": 3.5, "none": math.nan})
    assert cv2.imread(str(path)).std() > 0
    losses, _, scores = drawn[0].axes
    assert labels(scores) == ["validation rmse", "best: 2 px at epoch 7", "mean-shape: 3.5"]
    assert [list(line.get_ydata()) for line in scores.lines if line.get_label().startswith("mean")] == [[3.5, 3.5]]
    assert labels(losses) == ["training", "validation"]
    assert list(losses.lines[0].get_ydata()) == pytest.approx([row["train_loss"] for row in HISTORY])
    assert losses.get_yscale() == "log"
    assert scores.get_yscale() == "linear"


@pytest.mark.parametrize("nothing", [None, math.nan, "absent"])
def test_loss_curve_without_validation(tmp_path, drawn, nothing):
    rows = [{k: v for k, v in row.items() if not k.startswith("val")} for row in HISTORY]
    if nothing != "absent":
        rows = [{**row, "val_loss": nothing, "val_rmse": nothing} for row in rows]
    loss_curve(rows, tmp_path / "a.svg", title="article")
    assert len(drawn[0].axes) == 2
    assert labels(drawn[0].axes[0]) == ["training"]


def test_loss_curve_of_one_epoch_with_zero_loss(tmp_path, drawn):
    loss_curve([{**HISTORY[0], "train_loss": 0.0}], tmp_path / "a.png", title="one")
    assert drawn[0].axes[0].get_yscale() == "linear"


def test_loss_curve_needs_epochs_and_a_known_ending(tmp_path):
    with pytest.raises(ValueError, match="at least one epoch"):
        loss_curve([], tmp_path / "a.png", title="")
    with pytest.raises(FkbenchError, match="bmp"):
        loss_curve(HISTORY, tmp_path / "a.bmp", title="")


def test_equal_figures_are_equal_files(tmp_path):
    for ending in ("png", "svg"):
        first, second = (loss_curve(HISTORY, tmp_path / f"{n}.{ending}", title="x").read_bytes() for n in "ab")
        assert first == second


def test_figure_is_whole_or_not_there(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fkbench.records.files.os.replace", full)
    with pytest.raises(FkbenchError, match="No space left"):
        loss_curve(HISTORY, tmp_path / "a.png", title="x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=list(SCHEMES))
def test_scheme_layout_is_a_symmetric_face(scheme: Scheme):
    layout = np.array(scheme.layout)
    assert layout.shape == (len(scheme.points), 2)
    assert (layout >= 0).all()
    assert (layout <= 1).all()
    mirrored = layout * [-1, 1] + [1, 0]
    assert mirrored[scheme.flip_order()] == pytest.approx(layout)
    # As it looks to the camera the subject's left is at the right; y runs down.
    left, right = (list(scheme.regions[eye]) for eye in ("left_eye", "right_eye"))
    assert layout[left, 0].min() > layout[right, 0].max()
    mouth, brow = list(scheme.regions["mouth"]), list(scheme.regions["left_brow"])
    assert layout[mouth, 1].min() > layout[brow, 1].max()


def test_layout_of_face15_is_the_projection_of_face68():
    whole = np.array(FACE68.layout)
    projected = [whole[list(part)].mean(axis=0) for part in FACE68.projections["face15"]]
    assert np.array(FACE15.layout) == pytest.approx(np.array(projected), abs=1e-6)


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=list(SCHEMES))
def test_scheme_picture_numbers_every_point_once(tmp_path, drawn, scheme: Scheme):
    scheme_picture(scheme, tmp_path / "scheme.png")
    axes, legend = drawn[0].axes
    numbers = [text.get_text() for text in axes.texts]
    assert sorted(numbers, key=int) == [str(i) for i in range(len(scheme.points))]
    assert [label.partition("\n")[0] for label in labels(legend)] == list(scheme.regions)
    positions = np.array([text.get_position() for text in axes.texts])
    order = [int(n) for n in numbers]
    assert np.linalg.norm(positions - np.array(scheme.layout)[order], axis=1).max() < 0.03


def test_numbers_keep_clear_of_points():
    layout = np.array(FACE68.layout)
    places = layout + label_offsets(layout)
    gaps = np.linalg.norm(places[:, None] - layout[None], axis=2)
    assert gaps.min() > 0.012


def test_scheme_without_layout_is_an_error(tmp_path):
    bare = Scheme("bare", "", ("a",), (), {"all": (0,)}, {})
    with pytest.raises(FkbenchError, match="no layout"):
        scheme_picture(bare, tmp_path / "a.png")


def test_architecture_picture_lists_layers_and_folds_long_nets(tmp_path, drawn):
    short = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))
    architecture_picture(layer_table(short, (1, 8, 8)), tmp_path / "a.svg", title="short", total_macs=1)
    words = {text.get_text() for text in drawn[0].axes[0].texts}
    assert {"Conv2d  1→4, k3 s1", "Linear  144→2", "4×6×6"} <= words
    long = nn.Sequential(*[nn.Sequential(*[nn.Conv2d(1, 1, 1) for _ in range(4)]) for _ in range(20)])
    architecture_picture(layer_table(long, (1, 8, 8)), tmp_path / "b.png", title="long", total_macs=1)
    assert sum("4 layers" in text.get_text() for text in drawn[1].axes[0].texts) == 20


def test_short_numbers():
    assert [short_number(n) for n in (7, 999, 8615920, 7_330_000_000)] == ["7", "999", "8.62 M", "7.33 G"]
