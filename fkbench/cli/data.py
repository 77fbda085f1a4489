"""`fkbench data`: get, import, verify and preview datasets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from fkbench.cli import data_preview
from fkbench.cli.options import JsonObjectOption
from fkbench.cli.session import Session, current, note, print_json
from fkbench.errors import FkbenchError
from fkbench.specs import DatasetSpec, resolve

NameArgument = Annotated[
    str, typer.Argument(help="See `fkbench list datasets`; or a TOML file that describes your own.")
]
_OFFICIAL = {True: "official", False: "not the official ones", None: "official or not: not known"}


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Get, import, verify and preview datasets.")
    group.command("get")(get)
    group.command("import")(import_)
    group.command("verify")(verify)
    group.command("preview")(data_preview.preview)
    app.add_typer(group, name="data")


def get(
    context: typer.Context,
    dataset: NameArgument,
    force: Annotated[bool, typer.Option("--force", help="Get it again though it is there.")] = False,
    as_json: JsonObjectOption = False,
) -> None:
    """Get a dataset from its official source, or make it where it is made here."""
    from fkbench.cli.bars import progress_bars
    from fkbench.datasets.access import open_samples

    session = current(context)
    spec = session.dataset(dataset)
    carrier = _carrier(session, spec)
    fetched = None
    if carrier is not None and (force or not _is_there(session, spec)):
        fetched = _fetched(session, spec, carrier, force=force)
    if fetched is not None:
        _report(as_json, spec, fetched)
        return
    with progress_bars() as bars:
        samples = open_samples(spec, session.store, {}, bars, registry=session.registry)
    packs = (*spec.requires, *spec.makes)
    folders = [str(session.store.folder(name)) for name in packs] or [str(session.store.root)]
    found = {"dataset": spec.name, "unchanged": True, "folder": folders[0], "fingerprint": samples.fingerprint}
    _show(as_json, found, f"{spec.name} is here: {len(samples)} labelled pictures in {folders[0]}")


def _is_there(session: Session, spec: DatasetSpec) -> bool:
    return all(session.store.has(name) for name in spec.requires)


def _fetched(session: Session, spec: DatasetSpec, carrier: DatasetSpec, *, force: bool) -> Mapping[str, Any] | None:
    """What was fetched and imported; None where another process has done it while this one waited."""
    from fkbench.cli.bars import progress_bars
    from fkbench.datasets.download import discard, lock
    from fkbench.datasets.importing import import_dataset
    from fkbench.datasets.progress import listening

    if carrier.acquire is None:
        raise FkbenchError(f"{carrier.name} has no source that fkbench can fetch from.", carrier.ways)
    note(f"{carrier.name}: {carrier.terms.licence}. {carrier.terms.note} {carrier.terms.url}".strip())
    with lock(session.store), progress_bars() as bars, listening(bars):
        if not force and _is_there(session, spec):
            return None
        path = Path(resolve(carrier.acquire)(session.store, session.offline))
        try:
            return import_dataset(carrier, session.store, path)
        finally:
            discard(session.store, path)


def import_(
    context: typer.Context,
    dataset: NameArgument,
    source: Annotated[Path, typer.Option("--from", help="Zip, folder or table as its official source gives it.")],
    as_json: JsonObjectOption = False,
) -> None:
    """Import a dataset from a local zip or folder."""
    from fkbench.cli.bars import progress_bars
    from fkbench.datasets.importing import import_dataset

    session = current(context)
    spec = session.dataset(dataset)
    with progress_bars() as bars:
        found = import_dataset(_carrier(session, spec) or spec, session.store, source, bars)
    _report(as_json, spec, found)


def verify(context: typer.Context, dataset: NameArgument, as_json: JsonObjectOption = False) -> None:
    """Read a dataset again, compare it with what was written, and report what leaks between its parts."""
    from fkbench.cli.bars import progress_bars
    from fkbench.datasets.verifying import verify_dataset

    session = current(context)
    spec = session.dataset(dataset)
    with progress_bars() as bars:
        found = verify_dataset(spec, session.store, session.registry, bars)
    if as_json:
        print_json(found)
    else:
        _print_verified(found)
    if found["problems"]:
        raise typer.Exit(1)


def _carrier(session: Session, spec: DatasetSpec) -> DatasetSpec | None:
    """The dataset whose files hold this one: itself, or the one that it is made from."""
    if spec.importer is not None:
        return spec
    known = {other.name: other for other in session.registry.all(DatasetSpec) if other.importer is not None}
    return next((known[name] for name in spec.requires if name in known), None)


def _report(as_json: bool, spec: DatasetSpec, found: Mapping[str, Any]) -> None:
    words = "was here already, nothing changed" if found.get("unchanged") else "imported"
    size = f" ({found['bytes'] / 2**20:.0f} MiB)" if "bytes" in found else ""
    lines = [f"{found['dataset']} {words}: {found.get('folder', '')}{size}"]
    if "counts" in found:
        lines.append("  counts: " + ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in found["counts"].items()))
    if "official" in found:
        lines.append("  " + ", ".join(f"{what}: {_OFFICIAL[is_it]}" for what, is_it in found["official"].items()))
    if "fingerprint" in found:
        lines.append(f"  fingerprint: {found['fingerprint']}")
    if found.get("official") == {"labels": True, "pixels": None}:
        lines.append(
            f"  pixels: sha256 {found.get('pixels_sha256')}; please report it, the official one is not known yet"
        )
    if "near_duplicates" in found:
        lines.append(f"  near-duplicates: {found['near_duplicates']} pairs")
    if spec.name != found["dataset"]:
        lines.append(f"{spec.name} is made from it when it is first used.")
    _show(as_json, found, *lines)


def _print_verified(found: Mapping[str, Any]) -> None:
    from fkbench.datasets.leaks import describe_leaks

    if "counts" in found:
        official = ", ".join(f"{what}: {_OFFICIAL[is_it]}" for what, is_it in found["official"].items())
        typer.echo(f"{found['dataset']}: {found['counts']['labelled']} labelled, {found['counts']['unlabelled']} not")
        typer.echo(f"  {official}\n  fingerprint: {found['fingerprint']}")
    for report in found["splits"]:
        counts = " / ".join(str(count) for count in report["counts"].values())
        typer.echo(f"split {report['split']} (train / val / test = {counts})")
        for kind, words in describe_leaks(report).items():
            typer.echo(f"  {kind}: {words}")
    for problem in found["problems"]:
        note(f"Damaged: {problem}")
    if found["problems"]:
        note("Import it again, or delete its folder if it is made here.")
    else:
        typer.echo("intact")


def _show(as_json: bool, found: Mapping[str, Any], *lines: str) -> None:
    if as_json:
        print_json(found)
        return
    for line in lines:
        typer.echo(line)
