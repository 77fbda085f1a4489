"""fkbench: a plugin-based benchmark harness and model zoo for facial keypoint detection."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from fkbench.version import __version__

if TYPE_CHECKING:
    from fkbench.api import leaderboard, load, run
    from fkbench.errors import FkbenchError
    from fkbench.hookspecs import hookimpl
    from fkbench.local import dataset, detector, model
    from fkbench.specs import (
        Augmentation,
        Card,
        CodecSpec,
        DatasetSpec,
        DetectorSpec,
        MetricSpec,
        ModelSpec,
        Recipe,
        RuntimeSpec,
        Setting,
        SplitSpec,
        Terms,
    )

# Public name → the module it lies in, imported when it is first asked for: `fkbench --help` needs none of them, and
# torch and pandas must stay out of `import fkbench`, which every plugin does.
_HOME = {
    **dict.fromkeys(("leaderboard", "load", "run"), "fkbench.api"),
    **dict.fromkeys(("dataset", "detector", "model"), "fkbench.local"),
    "FkbenchError": "fkbench.errors",
    "hookimpl": "fkbench.hookspecs",
    **dict.fromkeys(
        ("Augmentation", "Card", "CodecSpec", "DatasetSpec", "DetectorSpec", "Geometry", "MetricSpec", "ModelSpec",
         "Recipe", "RuntimeSpec", "Setting", "SplitSpec", "Stage", "Terms"), "fkbench.specs"
    ),
}  # fmt: skip

__all__ = [
    "Augmentation",
    "Card",
    "CodecSpec",
    "DatasetSpec",
    "DetectorSpec",
    "FkbenchError",
    "Geometry",
    "MetricSpec",
    "ModelSpec",
    "Recipe",
    "RuntimeSpec",
    "Setting",
    "SplitSpec",
    "Stage",
    "Terms",
    "__version__",
    "dataset",
    "detector",
    "hookimpl",
    "leaderboard",
    "load",
    "model",
    "run",
]


def __getattr__(name: str) -> Any:
    # No package here may bear the name of a function: importing it would hide the function.
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'fkbench' has no attribute '{name}'")
