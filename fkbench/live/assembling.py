"""A show put together from a run, a source and a detector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch

from fkbench.datasets.samples import ByteArray
from fkbench.detect import Found, OpenDetector
from fkbench.detect.found import BoxArray
from fkbench.live.keypoints import predict_in
from fkbench.live.overlays import Overlay
from fkbench.live.pipeline import Pipeline
from fkbench.live.player import Show
from fkbench.live.sinks import Sink
from fkbench.live.sources import Source
from fkbench.live.tracking import Tracker
from fkbench.runner.loading import LoadedRun
from fkbench.specs import DetectorSpec
from fkbench.train.threads import torch_threads

USUAL_EVERY = 8


def find_faces(detector: OpenDetector, picture: ByteArray) -> tuple[Found, BoxArray]:
    """What a detector finds in a picture (H, W, 3) RGB, and the squares for the model."""
    found = detector.find(picture)
    return found, detector.squares(found)


def make_show(
    run: LoadedRun,
    source: Source,
    detector: OpenDetector,
    overlay: Overlay,
    sinks: Sequence[Sink],
    *,
    every: int = 0,
    smooth: bool = False,
    **options: Any,
) -> Show:
    """Everything in its place, and the model warmed up, so that the first picture need not wait for it.

    Args:
        every: the detector sees every so many-th picture; 0: every 8th. Of a folder it sees each in any case: faces
            cannot be followed from one of its pictures to the next.
        smooth: by the one-euro filter, where pictures follow from one another.
        options: of `Show`.
    """
    size = run.model.input[1]
    predict_in(run, np.zeros((size, size, 3), np.uint8), np.array([[0.0, 0.0, size, size]]))
    moving = source.about.moving
    tracker = Tracker(partial(predict_in, run), smooth=smooth and moving, relation=run.relation)
    chosen = (every or USUAL_EVERY) if moving else 1
    pipeline = Pipeline(source, partial(find_faces, detector), tracker, every=chosen)
    return Show(pipeline, overlay, sinks, title=f"{run.model.name} with {detector.spec.name}", **options)


@contextmanager
def shared_cores() -> Iterator[None]:
    """Half of torch's threads for the model, so that it does not stand in the detector's and the decoder's way.

    Small batches gain little from many threads, and threads that wait for their turn cost more than they give.
    """
    with torch_threads(max(1, torch.get_num_threads() // 2)):
        yield


def usual_detector(run: LoadedRun) -> str:
    """The detector where none is named: the run's own box if that is one, else the first that works here as it is.

    Empty: there is none.
    """
    specs = run.registry.all(DetectorSpec)
    names = sorted(spec.name for spec in specs if spec.find is not None and spec.unavailable() is None)
    return run.record.box if run.record.box in names else next(iter(names), "")
