"""fkbench: a plugin-based benchmark harness and model zoo for facial keypoint detection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
from fkbench.version import __version__

if TYPE_CHECKING:
    from fkbench.api import leaderboard, load, run

__all__ = [
    "Augmentation",
    "Card",
    "CodecSpec",
    "DatasetSpec",
    "DetectorSpec",
    "FkbenchError",
    "MetricSpec",
    "ModelSpec",
    "Recipe",
    "RuntimeSpec",
    "Setting",
    "SplitSpec",
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
    # torch and pandas stay out of `import fkbench`; plugins import it while `fkbench list` is being answered.
    if name in {"run", "leaderboard", "load"}:
        from fkbench import api

        return getattr(api, name)
    raise AttributeError(f"module 'fkbench' has no attribute '{name}'")
