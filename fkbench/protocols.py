"""The protocols that come with fkbench. Versioned: frozen once records exist under a version (docs/protocols.md).

`uniform` v1 was calibrated on validation data and is frozen: a change is a v2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fkbench.recipes import Augmentation, Protocol, Recipe

_UNIFORM = Recipe(
    augmentation=Augmentation(
        flip=0.5, rotation=12.0, scale=0.10, shift=0.04, contrast=0.25, brightness=0.25, blur=0.2, noise=0.03
    ),
    normalise="standard",
    initialisation="he",
    optimiser="adamw",
    lr=1e-3,
    weight_decay=1e-4,
    schedule="cosine",
    warmup=0.05,
    batch=128,
    images_seen=400_000,
    drop_last=True,
    precision={"cpu": "fp32", "cuda": "bf16"},
    selection="best",
)

PROTOCOLS: Mapping[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "uniform",
            1,
            "one recipe for every net: 400 000 images seen, selection on validation",
            _UNIFORM,
            frozen=True,
            ranked=True,
        ),
        Protocol("article", 0, "the model's own recipe as its article has it, scored by our metrics", None),
        Protocol(
            "smoke",
            0,
            "a minute's training to see that all works; never ranked",
            # Mirroring alone: the other changes pay only in longer training.
            replace(_UNIFORM, images_seen=9_600, batch=20, augmentation=Augmentation(flip=0.5)),
        ),
    )
}
