"""What `fkbench time` times: a finished run with its weights, or a net with fresh ones, and the pictures for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import nn

from fkbench.datasets.access import resolve_settings
from fkbench.datasets.samples import ByteArray, IntArray
from fkbench.datasets.store import Store
from fkbench.datasets.views import Views
from fkbench.errors import FkbenchError
from fkbench.records import RunRecord
from fkbench.records.files import sha256_of
from fkbench.registry import Registry
from fkbench.runner.device import precision_of
from fkbench.runner.fit import build_net
from fkbench.runner.inputs import Inputs, inputs_of, open_inputs
from fkbench.runner.loading import load_run, weights_file
from fkbench.runner.plan import Request, resolve_recipe, sized_request
from fkbench.runner.recorded import recorded_recipe
from fkbench.specs import Geometry, ModelSpec, Recipe
from fkbench.train.allocator import keep_freed_memory
from fkbench.train.codecs import Codec, make_codec
from fkbench.train.predictors import NetPredictor, Predictor, Ready

Settings = Mapping[str, Mapping[str, Any]]


@dataclass
class Timed:
    """A model with its pictures.

    Attributes:
        model: sized as it was trained.
        inputs: the opened dataset.
        device: where it is timed.
        recipe: None for predictors that are no nets.
        net, codec: None for the same.
        predictor: gives points for views, as it is scored.
        precision: at which it is scored on this device.
        seed: of its fresh weights and of training.
        record: of the run; None: the net is untrained.
    """

    model: ModelSpec
    inputs: Inputs
    device: torch.device
    recipe: Recipe | None
    net: nn.Module | None
    codec: Codec | None
    predictor: Predictor
    precision: str
    seed: int
    record: RunRecord | None = None

    @property
    def geometry(self) -> Geometry | None:
        return self.recipe.geometry if self.recipe is not None else None

    @cached_property
    def views(self) -> Views:
        """All samples as this model sees them when it is scored."""
        channels, size = self.model.input
        return self.inputs.eval_views(size, channels, self.geometry)

    def pictures(self, rows: IntArray | None = None) -> ByteArray:
        """(n, C, R, R) uint8 views of these rows; default: the test part."""
        return np.ascontiguousarray(self.views.images[self.inputs.split.test if rows is None else rows])

    @cached_property
    def weights(self) -> str:
        """SHA-256 of the weights' file, or `untrained`."""
        return sha256_of(weights_file(self.record)) if self.record is not None else "untrained"

    def forward(self, ready: Ready, precision: str) -> Ready:
        """(B, C, R, R) uint8 on the device → (B, K, 2) float32 view pixels there, through a prepared net.

        Args:
            precision: of autocast around it: `fp32` or `bf16`.
        """
        assert isinstance(self.predictor, NetPredictor)
        return self.predictor.under(ready, precision).forward


def open_run(record: RunRecord, registry: Registry, store: Store, device: torch.device) -> Timed:
    """A finished run with its own data.

    Raises:
        FkbenchError: its weights, model or data are not there.
    """
    if record.status == "done" and record.model.parameters is None:
        device = torch.device("cpu")  # a predictor that is no net
    loaded = load_run(record, registry, device, store.root)
    inputs = inputs_of(record, registry, store)
    predictor = loaded.predictor
    if not isinstance(predictor, NetPredictor):
        return Timed(loaded.model, inputs, device, None, None, None, predictor, "fp32", record.seed, record)
    recipe = recorded_recipe(record.protocol.recipe)
    parts = (recipe, predictor.net, predictor.codec, predictor, predictor.precision)
    return Timed(loaded.model, inputs, device, *parts, record.seed, record)


def open_model(request: Request, registry: Registry, store: Store, device: torch.device) -> Timed:
    """A net with fresh weights, as a run of this request would begin with.

    Raises:
        FkbenchError: the model is no net, or the request is bad.
    """
    request = sized_request(request)
    model, protocol = request.model, request.protocol.name
    recipe, _ = resolve_recipe(request)
    if recipe is None:
        raise FkbenchError(
            f"{model.name} is no net: without fitting there is nothing to time.",
            f"Run it (fkbench run --model {model.name} …), then `fkbench time RUN`.",
        )
    inputs = open_inputs(
        registry, store, request.dataset, split=request.split or request.dataset.default_split(protocol),
        box=request.box or request.dataset.default_box(protocol), settings=request.settings,
    )  # fmt: skip
    codec = make_codec(recipe.codec, model.input[1])
    settings = resolve_settings("model", model.settings, request.settings.get("model", {}))
    net = build_net(model, settings, codec.outputs(len(inputs.scheme.points)), 0)
    net = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if device.type == "cpu":
        keep_freed_memory()
    precision = precision_of(recipe, device)
    predictor = NetPredictor(net, codec, device, precision, recipe.normalise)
    return Timed(model, inputs, device, recipe, net, codec, predictor, precision, 0)
