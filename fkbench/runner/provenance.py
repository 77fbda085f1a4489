"""Does a finished run still stand for the code at hand? Source digests, and a cheap probe where they differ."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import inspect
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fkbench.local import SOURCE
from fkbench.specs import ModelSpec, resolve

if TYPE_CHECKING:
    from torch import nn


def source_digest(model: ModelSpec) -> str:
    """SHA-256 over the Python files of the model: its folder for a packaged one, its file for a local one.

    For a net also over the versions of the packages that it needs: it may be built from them.
    """
    files = _source_files(model)
    digest = hashlib.sha256()
    executed = _executed(model)
    for path in files:
        source = path.read_bytes() if executed is None else executed
        digest.update(path.name.encode() + b"\0" + source.replace(b"\r\n", b"\n") + b"\0")
    for package in model.needs if model.kind == "net" else ():
        digest.update(f"{package} {_version(package)}".encode() + b"\0")
    return f"sha256:{digest.hexdigest()}" if files else "unknown"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _executed(model: ModelSpec) -> bytes | None:
    """The bytes of a local file as they were executed; None for packaged models.

    Two files of one content are one module in a process, whose first path may hold other bytes by now.
    """
    module = sys.modules.get(getattr(model.build, "__module__", "")) if not isinstance(model.build, str) else None
    found: bytes | None = getattr(module, SOURCE, None)
    return found


def _source_files(model: ModelSpec) -> list[Path]:
    build = model.build.func if isinstance(model.build, partial) else model.build
    module = build.partition(":")[0] if isinstance(build, str) else getattr(build, "__module__", "")
    if isinstance(build, str) or "." in module:
        spec = importlib.util.find_spec(module)
        return sorted(Path(spec.origin).parent.glob("*.py")) if spec and spec.origin else []
    try:
        found = inspect.getsourcefile(build)
    except TypeError:
        return []
    return [Path(found)] if found else []


def probe(model: ModelSpec, settings: dict[str, Any], outputs: int) -> dict[str, Any] | None:
    """What the net computes, on fixed weights and pictures: parameter shapes, a forward pass, the loss after two steps.

    Equal probes of two versions of a source file mean that runs of the one stand for the other. A net that is large at
    full size computes at its reduced settings; its shapes are those of the full size all the same. None for models
    that are no nets.
    """
    if model.kind != "net":
        return None
    import torch

    from fkbench.runner.fit import build_net

    channels, size = model.input
    chosen = model.keywords(settings, fresh=False)
    with torch.random.fork_rng(devices=[]):
        net = build_net(model, {**chosen, **model.reduced}, outputs, seed=0)
        source = torch.Generator().manual_seed(0)
        images = torch.rand(4, channels, size, size, generator=source)
        targets = torch.rand(4, outputs, generator=source)
        shapes = _shapes(_on_meta(model, chosen, outputs) if model.reduced else net)
        with torch.inference_mode():
            forward = float(net(images).abs().mean())
        optimiser = torch.optim.SGD(net.parameters(), lr=1e-2)
        net.train()  # so that another share of dropout is seen
        torch.manual_seed(0)
        for _ in range(2):
            optimiser.zero_grad()
            (net(images) - targets).square().mean().backward()
            optimiser.step()
        net.eval()
        with torch.inference_mode():
            loss = float((net(images) - targets).square().mean())
    shape_digest = hashlib.sha256("\n".join(shapes).encode()).hexdigest()[:16]
    # Four digits: another thread count or torch build moves the last ones.
    return {"shapes": shape_digest, "forward": float(f"{forward:.4g}"), "loss": float(f"{loss:.4g}")}


def _shapes(net: nn.Module) -> list[str]:
    return [f"{name}:{tuple(value.shape)}" for name, value in net.named_parameters()]


def _on_meta(model: ModelSpec, settings: dict[str, Any], outputs: int) -> nn.Module:
    """The net with shapes and no numbers; a net that needs numbers to be built has them."""
    import torch

    channels, size = model.input
    try:
        with torch.device("meta"):
            net: nn.Module = resolve(model.build)(channels=channels, size=size, outputs=outputs, **settings)
    except (NotImplementedError, RuntimeError):
        net = resolve(model.build)(channels=channels, size=size, outputs=outputs, **settings)
    return net
