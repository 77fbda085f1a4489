"""Does a finished run still stand for the code at hand? Source digests, and a cheap probe where they differ."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
from pathlib import Path
from typing import Any

from fkbench.specs import ModelSpec


def source_digest(model: ModelSpec) -> str:
    """SHA-256 over the Python files of the model: its folder for a packaged one, its file for a local one."""
    files = _source_files(model)
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return f"sha256:{digest.hexdigest()}" if files else "unknown"


def _source_files(model: ModelSpec) -> list[Path]:
    if isinstance(model.build, str):
        spec = importlib.util.find_spec(model.build.partition(":")[0])
        return sorted(Path(spec.origin).parent.glob("*.py")) if spec and spec.origin else []
    try:
        found = inspect.getsourcefile(model.build)
    except TypeError:
        return []
    return [Path(found)] if found else []


def probe(model: ModelSpec, settings: dict[str, Any], outputs: int) -> dict[str, Any] | None:
    """What the net computes, on fixed weights and pictures: parameter shapes, a forward pass, the loss after two steps.

    Equal probes of two versions of a source file mean that runs of the one stand for the other. None for models that
    are no nets.
    """
    if model.kind != "net":
        return None
    import torch

    from fkbench.runner.fit import build_net

    channels, size = model.input
    with torch.random.fork_rng(devices=[]):
        net = build_net(model, settings, outputs, seed=0)
        source = torch.Generator().manual_seed(0)
        images = torch.rand(4, channels, size, size, generator=source)
        targets = torch.rand(4, outputs, generator=source)
        shapes = [f"{name}:{tuple(value.shape)}" for name, value in net.named_parameters()]
        with torch.inference_mode():
            forward = float(net(images).abs().mean())
        optimiser = torch.optim.SGD(net.parameters(), lr=1e-2)
        for _ in range(2):
            optimiser.zero_grad()
            (net(images) - targets).square().mean().backward()
            optimiser.step()
        with torch.inference_mode():
            loss = float((net(images) - targets).square().mean())
    shape_digest = hashlib.sha256("\n".join(shapes).encode()).hexdigest()[:16]
    # Four digits: another thread count or torch build moves the last ones.
    return {"shapes": shape_digest, "forward": float(f"{forward:.4g}"), "loss": float(f"{loss:.4g}")}
