"""Reference of what is built in: schemes, protocols, datasets, sources of boxes, metrics, runtimes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fkbench.cli.show_page import setting_rows
from fkbench.cli.show_protocol import protocol_rows
from fkbench.protocols import PROTOCOLS
from fkbench.recipes import Protocol, Recipe
from fkbench.registry import KINDS, Registry
from fkbench.schemes import SCHEMES, Scheme
from fkbench.specs import DatasetSpec, ModelSpec, Spec, SplitSpec
from fkbench_docs.markup import NOTE, code, page, prose, table

DISTRIBUTION = "fkbench"


def ours(registry: Registry, kind: type[Spec]) -> list[Any]:
    """The specs of a kind that this distribution brings; those of other plugins have their own documentation."""
    return [spec for spec in registry.all(kind) if spec.plugin.name == DISTRIBUTION]


# --- schemes ------------------------------------------------------------------------------------------------------


def schemes_page() -> str:
    """Every landmark scheme with its picture and points."""
    return page("# Landmark schemes", NOTE, *(_scheme(scheme) for scheme in SCHEMES.values()))


def scheme_pictures() -> dict[str, bytes]:
    """File name → SVG of every scheme that has a layout."""
    from fkbench.draw.schemes import scheme_picture

    with tempfile.TemporaryDirectory() as folder:
        drawn = [scheme for scheme in SCHEMES.values() if scheme.layout]
        return {f"{s.name}.svg": scheme_picture(s, Path(folder) / f"{s.name}.svg").read_bytes() for s in drawn}


def _scheme(scheme: Scheme) -> str:
    pair = {a: b for one, other in scheme.flip_pairs for a, b in ((one, other), (other, one))}
    region = {index: name for name, indices in scheme.regions.items() for index in indices}
    rows = [
        (str(i), code(name), region.get(i, ""), str(pair[i]) if i in pair else "itself")
        for i, name in enumerate(scheme.points)
    ]
    ends = [(code(name), _end(first), _end(second)) for name, (first, second) in scheme.normalisers.items()]
    picture = f"![The numbered points of {scheme.name}]({scheme.name}.svg)" if scheme.layout else ""
    projections = "; ".join(
        f"to `{other}`: " + ", ".join(f"{i} = {_end(part)}" for i, part in enumerate(parts))
        for other, parts in scheme.projections.items()
    )
    return page(
        f"## {scheme.name}",
        f"{prose(scheme.summary)}. Left and right are the subject's.",
        picture,
        table(("number", "name", "region", "mirrored it becomes"), rows, right=(0,)),
        "### Distances that normalise errors",
        table(("name", "from", "to"), ends),
        page(f"### Projections of {scheme.name}", projections) if projections else "",
    )


def _end(indices: Sequence[int]) -> str:
    return str(indices[0]) if len(indices) == 1 else f"mean of {', '.join(map(str, indices))}"


# --- protocols ----------------------------------------------------------------------------------------------------


def protocols_page() -> str:
    """Every setting of a recipe, and its value under each protocol."""
    rows = protocol_rows(Recipe())
    helps = [(code(row["name"]), prose(row["help"]), ", ".join(map(code, row["choices"]))) for row in rows]
    facts = [
        (code(f"{p.name} v{p.version}"), prose(p.summary), _yes(p.frozen), _yes(p.ranked)) for p in PROTOCOLS.values()
    ]
    return page(
        "# Settings of protocols",
        NOTE,
        "What the protocols are for, and why their values are what they are, stands in [protocols](../protocols.md).",
        table(("protocol", "what it is", "frozen", "ranked"), facts),
        "## Every setting",
        "`fkbench run … --set NAME=VALUE` changes one for one run, which is recorded with the change and never ranked. "
        "`--set protocol.NAME=VALUE` means the same.",
        table(("setting", "meaning", "choices"), helps),
        "## Values",
        _values([p for p in PROTOCOLS.values() if p.recipe is not None]),
        "Values of `article` are the model's own: see the [model cards](../cards/index.md).",
    )


def _values(protocols: Sequence[Protocol]) -> str:
    columns = [{row["name"]: row["default"] for row in protocol_rows(p.recipe or Recipe())} for p in protocols]
    names = list(dict.fromkeys(name for column in columns for name in column))
    rows = [(code(name), *(code(column.get(name)) for column in columns)) for name in names]
    return table(("setting", *(code(p.name) for p in protocols)), rows)


def recipe_table(recipe: Recipe) -> str:
    """Every setting of one recipe with its value."""
    rows = [(code(row["name"]), code(row["default"]), prose(row["help"])) for row in protocol_rows(recipe)]
    return table(("setting", "value", "meaning"), rows)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


# --- datasets and the rest ----------------------------------------------------------------------------------------


def datasets_page(registry: Registry) -> str:
    """Every built-in dataset: splits, boxes, terms, settings, ways to get it."""
    return page(
        "# Datasets",
        NOTE,
        "Counts, sizes, missing points and the leak report of every split come from the data itself: "
        "`fkbench show NAME` and `fkbench data verify NAME` print them.",
        *(_dataset(spec) for spec in ours(registry, DatasetSpec)),
    )


def _dataset(spec: DatasetSpec) -> str:
    facts = [
        ("scheme", f"[{spec.scheme_name}](schemes.md#{spec.scheme_name})"),
        ("boxes", ", ".join(map(code, spec.boxes)) + (", or any detector" if spec.any_box else "")),
        ("scoring frame", code(spec.scoring)),
        ("colour", "grey" if spec.channels == 1 else "colour"),
        ("default under `uniform`", _default(spec, "uniform")),
        ("default under `article`", _default(spec, "article")),
        ("terms", _terms(spec)),
        ("how to get it", prose(spec.ways)),
    ]
    return page(
        f"## {spec.name}",
        f"{prose(spec.summary)}.",
        table(("", ""), facts),
        table(("split", "folds", "leaky", "what it is"), [_split(split) for split in spec.splits]),
        settings_table(spec, "dataset"),
    )


def _default(spec: DatasetSpec, protocol: str) -> str:
    return f"split {code(spec.default_split(protocol))}, box {code(spec.default_box(protocol))}"


def _terms(spec: DatasetSpec) -> str:
    named = f"[{prose(spec.terms.licence)}]({spec.terms.url})" if spec.terms.url else prose(spec.terms.licence)
    return f"{named}. {prose(spec.terms.note)}"


def _split(split: SplitSpec) -> tuple[str, ...]:
    return code(split.name), str(split.folds), "**leaky**" if split.leaky else "no", prose(split.summary)


def settings_table(spec: Spec, subject: str) -> str:
    """What `--set` changes on a plugin."""
    rows = [
        (
            code(f"{subject}.{row['name']}"),
            code(row["default"]),
            prose(row["help"]),
            ", ".join(map(code, row["choices"])),
        )
        for row in setting_rows(spec)
    ]
    return table(("`--set`", "default", "meaning", "choices"), rows)


def others_page(registry: Registry) -> str:
    """Sources of boxes, metrics and runtimes that are built in."""
    blocks = ["# Boxes, metrics, runtimes", NOTE]
    for group, kind in KINDS.items():
        if kind in (DatasetSpec, ModelSpec):
            continue
        blocks.append(f"## {group.capitalize()}")
        found = ours(registry, kind)
        blocks += [_plugin(spec, group.removesuffix("s")) for spec in found] or [_NONE[group]]
    return page(*blocks)


_NONE = {
    "metrics": "Every built-in score is part of the core, see [scores](../scores.md). Plugins can add more.",
    "detectors": "None is built in.",
    "runtimes": "None is built in.",
}


def _plugin(spec: Spec, subject: str) -> str:
    role = getattr(spec, "role", "")
    needs = f" Needs the package {', '.join(map(code, spec.needs))}." if spec.needs else ""
    return page(
        f"### {spec.name}",
        f"{prose(spec.summary)}.{f' Role: {role}.' if role else ''}{needs}",
        settings_table(spec, subject),
    )
