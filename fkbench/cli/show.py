"""`fkbench show`: everything that is known about one name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fkbench.cli.options import JsonObjectOption
from fkbench.cli.session import Session, current, print_json
from fkbench.draw.files import FIGURE_SUFFIXES, PICTURE_SUFFIXES, check_target
from fkbench.errors import DataMissingError, FkbenchError, UnknownNameError
from fkbench.finding import FILES
from fkbench.local import check_there
from fkbench.protocols import PROTOCOLS
from fkbench.registry import KINDS, load_file
from fkbench.schemes import Scheme, known_schemes, scheme_of
from fkbench.specs import DatasetSpec, ModelSpec, Protocol, Spec

if TYPE_CHECKING:
    from fkbench.cli.show_page import Page

SUBJECTS = ("models", "datasets", "schemes", "protocols", "detectors", "metrics", "runtimes")


@dataclass(frozen=True)
class Asked:
    """What the options ask for."""

    graph: Path | None = None
    picture: Path | None = None
    model: str = ""
    scheme: str = ""
    settings: bool = False


def register(app: typer.Typer) -> None:
    app.command("show")(command)


def command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A model (or ./file.py), dataset (or ./data.toml), scheme, protocol, …")],
    kind: Annotated[str, typer.Option(help="What it is, where two kinds share a name: " + ", ".join(SUBJECTS))] = "",
    graph: Annotated[Path | None, typer.Option(help="Model: write a picture of its layers (.png, .svg, .pdf).")] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Scheme or dataset: write a picture (.png; schemes .svg).")
    ] = None,
    settings: Annotated[bool, typer.Option("--settings", help="Only what --set can change, with defaults.")] = False,
    model: Annotated[str, typer.Option(help="Protocol: show the recipe of this model.")] = "",
    scheme: Annotated[str, typer.Option(help="Model: landmark scheme that sets the number of outputs.")] = "face15",
    as_json: JsonObjectOption = False,
) -> None:
    """Show a model, dataset, landmark scheme, protocol, detector, metric or runtime."""
    session = current(context)
    subject, found = find(session, name, kind)
    _check_options(subject, found.name, graph, picture)
    page = _page(session, subject, found, Asked(graph, picture, model, scheme, settings))
    if as_json:
        print_json(page.data)
    else:
        page.write()
    for line in page.notes:
        typer.echo(line, err=True)


def find(session: Session, name: str, kind: str = "") -> tuple[str, Any]:
    """The kind and the spec, scheme or protocol of a name, or of a local plugin file.

    Raises:
        UnknownNameError: nothing has this name; near names of every kind are offered.
        FkbenchError: several kinds have it and `kind` does not say which.
    """
    wanted = _subject(kind)
    if name.endswith(FILES):
        subject, spec = _from_file(session, Path(name))
        if wanted == "schemes" and isinstance(spec, DatasetSpec):
            return wanted, scheme_of(spec)
        return subject, spec
    groups = _groups(session)
    chosen = {group: groups[group] for group in ([wanted] if wanted else SUBJECTS)}
    head = name.partition(":")[0]
    if name not in groups["models"] and ":" in name and head in groups["models"] and "models" in chosen:
        return "models", session.registry.get(ModelSpec, name)
    hits = [group for group, names in chosen.items() if name in names]
    if not hits:
        hint = "`fkbench plugins` shows what failed to load." if session.registry.failures else ""
        known = {known for names in chosen.values() for known in names}
        raise UnknownNameError(
            wanted.removesuffix("s") or "name", name, known, hint or "`fkbench list` shows them all."
        )
    if len(hits) > 1:
        kinds = " and a ".join(group.removesuffix("s") for group in hits)
        raise FkbenchError(f"'{name}' is a {kinds}.", f"Say which: --kind {hits[0].removesuffix('s')}.")
    return hits[0], groups[hits[0]][name]


def _subject(kind: str) -> str:
    if not kind or kind in SUBJECTS:
        return kind
    if f"{kind}s" not in SUBJECTS:
        raise UnknownNameError("kind", kind, SUBJECTS)
    return f"{kind}s"


def _groups(session: Session) -> dict[str, dict[str, Any]]:
    groups: dict[str, dict[str, Any]] = {group: dict(session.registry.specs[group]) for group in KINDS}
    return {**groups, "schemes": dict(known_schemes(session.registry.all(DatasetSpec))), "protocols": dict(PROTOCOLS)}


def _from_file(session: Session, path: Path) -> tuple[str, Spec]:
    check_there(path)
    before = len(session.registry.failures)
    found = load_file(session.registry, path)
    if len(session.registry.failures) > before:
        raise FkbenchError(f"'{path}' cannot be used: {session.registry.failures[-1].reason}", "Mend the file.")
    if len(found) != 1:
        names = f" ({', '.join(spec.name for spec in found)})" if found else ""
        raise FkbenchError(
            f"'{path}' marks {len(found)} plugins{names}; show needs exactly one.",
            "Name one of them: fkbench --plugin FILE show NAME." if found else "Mark one with @fkbench.model(...).",
        )
    return next(group for group, kind in KINDS.items() if isinstance(found[0], kind)), found[0]


def _check_options(subject: str, name: str, graph: Path | None, picture: Path | None) -> None:
    if graph is not None and subject != "models":
        raise FkbenchError(f"--graph draws the layers of a model; '{name}' is none.", "Leave it out, or try --picture.")
    if picture is not None and subject not in ("schemes", "datasets"):
        raise FkbenchError(f"--picture draws schemes and datasets; '{name}' is neither.", "A model has --graph FILE.")
    if graph is not None:
        check_target(graph, FIGURE_SUFFIXES)
    if picture is not None:
        check_target(picture, PICTURE_SUFFIXES if subject == "datasets" else FIGURE_SUFFIXES)


def _page(session: Session, subject: str, found: Any, asked: Asked) -> Page:
    from fkbench.cli import show_dataset, show_model, show_page, show_protocol, show_scheme

    if asked.settings and isinstance(found, Spec):
        return show_page.settings_page(found, subject)
    if isinstance(found, ModelSpec):
        return show_model.model_page(found, asked.scheme, asked.graph)
    if isinstance(found, DatasetSpec):
        return show_dataset.dataset_page(session, found, asked.picture)
    if isinstance(found, Protocol):
        return show_protocol.protocol_page(session, found, asked.model, asked.settings)
    if isinstance(found, Spec):
        return show_page.plugin_page(found, subject)
    return show_scheme.scheme_page(_with_layout(session, found), asked.picture)


def _with_layout(session: Session, scheme: Scheme) -> Scheme:
    """A scheme that states no layout gets the mean shape of the dataset that brings it, where that is here."""
    owner = next((spec for spec in session.registry.all(DatasetSpec) if spec.scheme == scheme), None)
    if scheme.layout or owner is None:
        return scheme
    from fkbench.datasets.access import open_samples
    from fkbench.datasets.mean_shape import mean_layout

    try:
        samples = open_samples(owner, session.store)
    except DataMissingError:
        return scheme
    return replace(scheme, layout=mean_layout(samples.points))
