"""Nets of timm for any number of channels, size and outputs."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from fkbench.errors import FkbenchError
from fkbench_zoo.timm_models.members import library


def build(
    name: str, channels: int, size: int, outputs: int, pretrained: bool = False, drop_rate: float = 0.0
) -> nn.Module:
    """A net of timm with `outputs` outputs: (N, channels, size, size) → (N, outputs).

    Args:
        name: as in `timm.list_models`, with or without the tag of its weights.
        pretrained: load the library's weights into all but the last layer.

    Raises:
        FkbenchError: pretrained weights are asked for, and there are none or they cannot be had.
    """
    options: dict[str, Any] = {"in_chans": channels, "num_classes": outputs}
    if drop_rate:
        options["drop_rate"] = drop_rate
    return _pretrained(name, size, options) if pretrained else _sized(name, size, options)


def _sized(name: str, size: int, options: dict[str, Any]) -> nn.Module:
    """Nets of a fixed size take it as `img_size`; the others refuse that word before they do anything."""
    create = library().create_model
    try:
        net: nn.Module = create(name, **options, img_size=size)
    except TypeError as error:
        if "img_size" not in str(error):
            raise
        net = create(name, **options)
    return net


def _pretrained(name: str, size: int, options: dict[str, Any]) -> nn.Module:
    timm = library()
    config = timm.get_pretrained_cfg(name)
    if config is None or not config.has_weights:
        raise FkbenchError(
            f"timm has no pretrained weights for '{name}'.", "Leave --set model.pretrained=true out to start afresh."
        )
    try:
        with _quiet():
            return _sized(name, size, {**options, "pretrained": True})
    except Exception as error:
        offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}
        why = "they are not in the cache, and the network is forbidden" if offline else f"{type(error).__name__}"
        raise FkbenchError(
            f"The pretrained weights of 'timm:{name}' cannot be had: {why}.",
            "Fetch them once where the network is open (Hugging Face's cache, HF_HOME, can be copied), "
            "or leave --set model.pretrained=true out.",
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """The hub's client writes a line for each of its twelve tries; the error says it once."""
    logger = logging.getLogger("huggingface_hub")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
