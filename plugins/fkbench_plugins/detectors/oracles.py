"""`frame` and `truth`: boxes from the picture's border and from its labels, registered like any detector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fkbench.specs import DetectorSpec

if TYPE_CHECKING:
    from fkbench.datasets.boxes import BoxArray
    from fkbench.datasets.samples import Samples


def frame(samples: Samples, settings: Mapping[str, Any]) -> BoxArray:
    """The whole picture of each sample, (N, 4) in native pixels."""
    from fkbench.datasets.boxes import whole_frames

    return whole_frames(samples)


def truth(samples: Samples, settings: Mapping[str, Any]) -> BoxArray:
    """The reference square around the true points, (N, 4) in native pixels."""
    from fkbench.datasets.boxes import reference_squares

    return reference_squares(samples.points)


SPECS = (
    DetectorSpec(name="frame", summary="the whole picture", boxes=frame, role="oracle"),
    DetectorSpec(
        name="truth",
        summary="the square around the true points, 1.25 × their longer side, jittered by ±5 % when scored",
        boxes=truth,
        role="oracle",
        needs_labels=True,
        jitter=0.05,
    ),
)
