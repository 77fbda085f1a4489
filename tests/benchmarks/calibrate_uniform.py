"""How `uniform` was calibrated: short runs scored on the validation part of `youtube15`, one change at a time.

    python tests/benchmarks/calibrate_uniform.py dfk 20000 base lr=3e-4 initialisation=own,normalise=unit

A line of JSON for each setting: the best validation rmse (pixels of the 96-px picture), its epoch, the last one, and
seconds. The test part is never looked at. FKBENCH_DATA names the data folder.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import torch

from fkbench.cli.session import data_root
from fkbench.datasets.store import Store
from fkbench.protocols import PROTOCOLS
from fkbench.registry import Registry, load_registry
from fkbench.runner.fit import build_net, training_parts
from fkbench.runner.inputs import Inputs, open_inputs
from fkbench.runner.overrides import apply_overrides
from fkbench.runner.plan import find_model
from fkbench.specs import DatasetSpec
from fkbench.train.allocator import keep_freed_memory
from fkbench.train.codecs import make_codec
from fkbench.train.engine import Trainer, start_weights

DATASET, SPLIT, BOX, SEED = "youtube15", "identity", "frame", 0


def trial(registry: Registry, inputs: Inputs, name: str, images: int, changes: dict[str, str]) -> dict[str, Any]:
    """One short training under `uniform` with some changes."""
    spec = find_model(registry, name)
    channels, size = spec.input
    recipe = PROTOCOLS["uniform"].recipe
    assert recipe is not None
    recipe = apply_overrides(recipe, {"images_seen": images, **changes})
    codec = make_codec(recipe.codec, size)
    settings = {key: setting.default for key, setting in spec.settings.items()}
    net = build_net(spec, settings, codec.outputs(len(inputs.scheme.points)), SEED)
    train, val = training_parts(inputs, recipe, size, channels, torch.device("cpu"), SEED)
    start_weights(net, codec, recipe, train, SEED)
    net = net.to(memory_format=torch.channels_last)
    trainer = Trainer(net, codec, recipe, train, val, size=size, flip_order=inputs.scheme.flip_order(), seed=SEED)
    started = time.perf_counter()
    history = trainer.fit().history
    best = min(history, key=lambda row: row["val_rmse"])
    return {
        "model": name,
        "images": images,
        "changes": changes,
        "val_rmse": round(best["val_rmse"], 4),
        "epoch": best["epoch"],
        "last": round(history[-1]["val_rmse"], 4),
        "seconds": round(time.perf_counter() - started, 1),
    }


def main(name: str, images: int, settings: list[str]) -> None:
    keep_freed_memory()
    registry = load_registry()
    spec = registry.get(DatasetSpec, DATASET)
    inputs = open_inputs(registry, Store(data_root(None)), spec, split=SPLIT, box=BOX, settings={})
    for words in settings:
        changes = dict(word.split("=", 1) for word in words.split(",") if "=" in word)
        print(json.dumps(trial(registry, inputs, name, images, changes)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:] or ["base"])
