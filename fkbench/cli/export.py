"""`fkbench export`: a run's net as a file for other programs, checked against the original."""

from __future__ import annotations

import contextlib
import importlib.util
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fkbench.cli.options import JsonObjectOption
from fkbench.cli.session import Session, console, current, note, print_json
from fkbench.errors import FkbenchError, RunFailedError, UnknownNameError
from fkbench.records import safe_name
from fkbench.words import plural

if TYPE_CHECKING:
    from fkbench.datasets.samples import ByteArray
    from fkbench.runner.loading import LoadedRun

EPILOG = (
    "Examples: fkbench export 3f2a --format onnx; fkbench export 3f2a --format pt2 --out net.pt2. "
    "The file takes what the net takes: float32 (N, channels, size, size). How a picture becomes that, how the outputs "
    "become pixels and what the points are called stand in its metadata under 'fkbench', as JSON; docs/timing.md has "
    "an example. Nothing is left behind where the check fails."
)
NEEDED = {"onnx": ("onnx", "onnxscript", "onnxruntime"), "pt2": ()}
PICTURES = 64


def register(app: typer.Typer) -> None:
    app.command("export", epilog=EPILOG)(command)


def command(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, its key or the beginning of it.")],
    kind: Annotated[str, typer.Option("--format", help="onnx (ONNX Runtime and others) or pt2 (torch.export).")],
    out: Annotated[Path | None, typer.Option(help="The file; default: MODEL-KEY.onnx or .pt2 here.")] = None,
    tolerance: Annotated[float, typer.Option(help="How far a point may be off, in pixels of the input.")] = 0.01,
    as_json: JsonObjectOption = False,
) -> None:
    """Write a run's net to a file for other programs, and check it against the original on real test pictures."""
    session = current(context)
    _check(kind, tolerance)
    from fkbench.records import RunStore

    record = RunStore(session.runs_root).find(run)
    path = out or Path(f"{safe_name(record.model.name)}-{record.key[:8]}.{kind}")
    if (path.exists() and not path.is_file()) or not path.parent.is_dir():  # a device would be replaced by the file
        raise FkbenchError(f"'{path}' is no place for a file.", "Give --out FILE in a folder that is there.")
    page = _export(session, record.path, kind, path, tolerance)
    if as_json:
        print_json(page)
    else:
        _print(page)


def _check(kind: str, tolerance: float) -> None:
    if kind not in NEEDED:
        raise UnknownNameError("format", kind, NEEDED)
    lacking = [package for package in NEEDED[kind] if importlib.util.find_spec(package) is None]
    if lacking:
        raise FkbenchError(
            f"ONNX needs the {plural(len(lacking), 'package')} {', '.join(lacking)}.",
            "pip install 'fkbench[onnx]', or use --format pt2.",
        )
    if not tolerance > 0:
        raise FkbenchError(f"--tolerance is {tolerance}, but must be above 0.", "For example --tolerance 0.01.")


def _export(session: Session, run: str, kind: str, path: Path, tolerance: float) -> dict[str, Any]:
    """Write beside the target, compare, and only then put it in its place."""
    import torch

    from fkbench.export.files import compare, write_file, writing
    from fkbench.export.metadata import metadata_of
    from fkbench.records import RunStore
    from fkbench.runner.loading import load_run
    from fkbench.train.predictors import NetPredictor

    record = RunStore(session.runs_root).find(run)
    loaded = load_run(record, session.registry, torch.device("cpu"), session.data_root)
    metadata = metadata_of(loaded)
    predictor = loaded.predictor
    assert isinstance(predictor, NetPredictor)
    predictor.precision = "fp32"
    views = _pictures(session, loaded)
    expected = predictor.predict(views)
    note(f"exporting {record.model.name}")
    scratch = path.with_name(f".{path.name}-{os.getpid()}.{kind}")
    try:
        write_file(predictor, metadata, kind, scratch)
        found = compare(scratch, kind, views, expected)
        if found.max_px > tolerance:
            raise RunFailedError(
                f"The file's points are off by up to {found.max_px:.3g} px, more than {tolerance:g}: not written.",
                "A larger --tolerance PIXELS accepts that.",
            )
        size = scratch.stat().st_size
        with writing(path):
            os.replace(scratch, path)
    finally:
        with contextlib.suppress(OSError):  # a folder in which nothing can be written holds no scratch file either
            scratch.unlink(missing_ok=True)
    return {"file": str(path), "format": kind, "bytes": size, "check": asdict(found), "tolerance_px": tolerance,
            "metadata": metadata}  # fmt: skip


def _pictures(session: Session, loaded: LoadedRun) -> ByteArray:
    """Views of the test part of the run's own data, evenly spaced."""
    import numpy as np

    from fkbench.runner.inputs import inputs_of

    inputs = inputs_of(loaded.record, session.registry, session.store)
    channels, size = loaded.model.input
    rows = inputs.split.test
    chosen = rows[np.unique(np.linspace(0, len(rows) - 1, min(PICTURES, len(rows))).round().astype(int))]
    return np.ascontiguousarray(inputs.eval_views(size, channels, loaded.geometry).images[chosen])


def _print(page: dict[str, Any]) -> None:
    check, metadata = page["check"], page["metadata"]
    out = console()
    out.print(f"{page['file']} ({page['bytes'] / 2**20:.1f} MiB)", soft_wrap=True, markup=False)
    out.print(
        f"checked on {check['pictures']} test pictures: points off by at most {check['max_px']:.2g} px "
        f"(rms {check['rms_px']:.2g})"
    )
    shape = " × ".join(map(str, metadata["input"]["shape"]))
    out.print(f"takes {shape}, {metadata['input']['channels']}: {metadata['input']['meaning']}", soft_wrap=True)
    out.print(f"gives {metadata['output']['shape'][1]} numbers: {metadata['output']['meaning']}", soft_wrap=True)
    out.print("The file's metadata says so too, with the names of the points.")
