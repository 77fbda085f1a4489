"""The timing session of a run: at its end, and once more where the machine was not quiet then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from fkbench.datasets.samples import ByteArray
from fkbench.runner.inputs import Inputs
from fkbench.runner.loop import time_loop
from fkbench.specs import Geometry, ModelSpec
from fkbench.timing import time_model
from fkbench.train.predictors import NetPredictor, Predictor

OF_THE_MODEL = {"parameters", "macs"}
"""What a session counts of the net; a record has it of its model."""
OF_TRAINING = ("train_images_per_s", "train_s", "train_images", "trained_at_once")
"""What a record's timing has beside a session: timed while it was trained, so no later session changes it."""


def time_run(
    predictor: Predictor, model: ModelSpec, inputs: Inputs, geometry: Geometry | None, *, quick: bool
) -> dict[str, Any]:
    """Time a trained model on the test part of its own data, as docs/timing.md says.

    Returns:
        The `timing` part of a record, without `OF_TRAINING` and with `OF_THE_MODEL`; where the box is a detector's,
        with `end_to_end` of both together.
    """
    images = _test_views(model, inputs, geometry)
    if isinstance(predictor, NetPredictor):
        device, precision, net = predictor.device, predictor.precision, predictor.net
        pictures = torch.from_numpy(images)
        timing = time_model(predictor.forward, pictures, device=device, precision=precision, quick=quick, net=net)
    else:
        timing = time_model(predictor.predict, images, device="cpu", quick=quick)
    if inputs.detector.find is not None:
        timing["end_to_end"] = time_loop(predictor, model, inputs, quick=quick)
    return timing


def _test_views(model: ModelSpec, inputs: Inputs, geometry: Geometry | None) -> ByteArray:
    channels, size = model.input
    views = inputs.eval_views(size, channels, geometry)
    return np.ascontiguousarray(views.images[inputs.split.test])


def with_session(timing: Mapping[str, Any], session: Mapping[str, Any]) -> dict[str, Any]:
    """The timing part of a record with another session in place of its own; what was timed in training stays."""
    return {
        **{name: value for name, value in session.items() if name not in OF_THE_MODEL},
        **{name: timing[name] for name in OF_TRAINING if name in timing},
    }
