"""The Python interface: `fkbench.run`, `fkbench.load`, `fkbench.leaderboard`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fkbench.errors import FkbenchError
from fkbench.finding import find_dataset
from fkbench.local import MARK
from fkbench.registry import Registry, load_registry
from fkbench.specs import DatasetSpec, ModelSpec, Plugin, from_plugin

if TYPE_CHECKING:
    import pandas as pd

    from fkbench.records import RunRecord
    from fkbench.runner.loading import LoadedRun
    from fkbench.runner.plan import Request
    from fkbench.runner.requests import Runner


def run(
    model: str | ModelSpec | Callable[..., Any],
    dataset: str | Path | DatasetSpec,
    *,
    protocol: str = "uniform",
    split: str = "",
    box: str = "",
    seeds: Sequence[int] = (0,),
    epochs: int | None = None,
    device: str = "auto",
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    force: bool = False,
    at_once: int = 0,
    data: Path | str | None = None,
    runs: Path | str | None = None,
) -> list[RunRecord]:
    """Train, score, time and record, as `fkbench run` does.

    Args:
        model: a name, a file, a spec, or a function that `@fkbench.model` marked.
        dataset: a name, a file (`./mydata.toml`, or `.py`), or a spec.
        settings: subject (`protocol`, `model`, `dataset`, `detector`) → name → value.
        at_once: seeds that are trained together, each as if alone; 0: five on a GPU, one on a CPU.
        data: data folder; default as on the command line.
        runs: runs folder; default as on the command line.

    Returns:
        One record per seed.

    Raises:
        FkbenchError: bad use or input.
        RunFailedError: the run failed; its record with the reason was written.
    """
    runner = _runner(data, runs)
    request = replace(
        _request(runner, model, dataset, protocol), split=split, box=box, seeds=tuple(seeds), device=device,
        epochs=epochs, settings=settings or {}, force=force, at_once=at_once,
    )  # fmt: skip
    return runner.run(request)


def _runner(data: Path | str | None, runs: Path | str | None) -> Runner:
    from fkbench.cli.session import data_root, runs_root
    from fkbench.records import RunStore
    from fkbench.runner.requests import Runner

    folder = data_root(Path(data) if data else None)
    return Runner(load_registry(), folder, RunStore(runs_root(Path(runs) if runs else None)))


def _request(
    runner: Runner,
    model: str | ModelSpec | Callable[..., Any],
    dataset: str | Path | DatasetSpec,
    protocol: str,
) -> Request:
    """What is to be run, found by name or file; all else as by default."""
    from fkbench.runner.plan import Request, find_protocol

    found = _model(runner.registry, model)
    if not isinstance(dataset, DatasetSpec):
        dataset = find_dataset(runner.registry, str(dataset), runner.data)
    return Request(model=found, dataset=dataset, protocol=find_protocol(protocol))


def _model(registry: Registry, model: str | ModelSpec | Callable[..., Any]) -> ModelSpec:
    from fkbench.runner.plan import check_usable, find_model

    if isinstance(model, str):
        return find_model(registry, model)
    spec = model if isinstance(model, ModelSpec) else getattr(model, MARK, None)
    if not isinstance(spec, ModelSpec):
        raise FkbenchError(
            f"{model!r} is not a model.", "Give a name, a ModelSpec, or a function marked with @fkbench.model(...)."
        )
    check_usable(spec)
    return spec if spec.plugin != Plugin("unregistered") else _as_object(spec)


def _as_object(spec: ModelSpec) -> ModelSpec:
    named = from_plugin(spec, Plugin("python object"))
    assert isinstance(named, ModelSpec)
    return named


def load(
    run: str | Path,
    *,
    device: str = "auto",
    runs: Path | str | None = None,
    data: Path | str | None = None,
    runtime: str = "",
) -> LoadedRun:
    """A finished run that predicts: `fkbench.load("3f2a").predict(images) -> (N, K, 2)` pixels.

    Args:
        run: a folder, a key or a unique beginning of one.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        runs: runs folder; default as on the command line.
        data: data folder, by which a run on own data finds the file that describes it.
        runtime: executes the net, by name (`fkbench list runtimes`); empty: PyTorch, as the run was scored.
    """
    from fkbench.cli.session import data_root, runs_root
    from fkbench.records import RunStore
    from fkbench.runner.device import choose_device
    from fkbench.runner.loading import load_run
    from fkbench.runtimes import run_under

    record = RunStore(runs_root(Path(runs) if runs else None)).find(str(run))
    loaded = load_run(record, load_registry(), choose_device(device), data_root(Path(data) if data else None))
    return run_under(loaded, runtime)


def leaderboard(runs: Path | str | None = None, dataset: str | None = None) -> pd.DataFrame:
    """All boards of a runs folder as one data frame, one row per model and board."""
    from fkbench.boards import build, to_frame, wanted_records
    from fkbench.cli.session import data_root, runs_root
    from fkbench.runner.standing import Standing

    records = wanted_records(runs_root(Path(runs) if runs else None), dataset)
    return to_frame(build(Standing(load_registry(), data_root()).marked(records)))
