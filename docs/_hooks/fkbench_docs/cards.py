"""Model cards: source, deviations, size, recipes in full and published scores of every architecture of the zoo."""

from __future__ import annotations

from typing import Any

from fkbench.cli.show_model import model_page
from fkbench.protocols import PROTOCOLS
from fkbench.records import safe_name
from fkbench.registry import Registry
from fkbench.schemes import SCHEMES
from fkbench.specs import Card, ModelSpec, resolve
from fkbench_docs.catalogue import ours, recipe_table, settings_table
from fkbench_docs.markup import NOTE, code, number, page, prose, table
from fkbench_docs.published import Published, scores

SCHEME = "face15"
"""Scheme that sets the number of outputs of the layers shown; those for others differ in the last layer."""


def models(registry: Registry) -> list[ModelSpec]:
    """The zoo: entries first, then baselines."""
    found: list[ModelSpec] = ours(registry, ModelSpec)
    return sorted(found, key=lambda spec: (spec.role == "baseline", spec.name))


def file_name(spec: ModelSpec) -> str:
    return f"{safe_name(spec.name)}.md"


def shown_name(spec: ModelSpec) -> str:
    """As it is typed; a family needs a member's name."""
    return spec.name if spec.member is None else f"{spec.name}:NAME"


def size_of(spec: ModelSpec) -> dict[str, Any]:
    """What `fkbench show MODEL --json` says, with `sizes`: scheme → parameters, where the model has layers."""
    pages = {name: model_page(spec, name, None).data for name in SCHEMES}
    counted = {name: page["parameters"] for name, page in pages.items() if page["parameters"] is not None}
    return {**pages[SCHEME], "sizes": counted}


def index_page(found: list[tuple[ModelSpec, dict[str, Any]]]) -> str:
    """All models in one table."""
    rows = [
        (f"[{shown_name(spec)}]({file_name(spec)})", prose(spec.summary), _input(spec),
         *(number(facts["sizes"].get(name)) for name in SCHEMES), number(facts["macs"]),
         ", ".join(map(code, sorted(spec.recipes))) or "–")
        for spec, facts in found
    ]  # fmt: skip
    return page(
        "# Model cards",
        NOTE,
        "Parameters and multiply-accumulates (MACs) are counted on the nets when this site is built. The number of "
        f"outputs, and so of parameters, depends on the landmark scheme; MACs are for `{SCHEME}`. Every net can be "
        "trained under `uniform`; the last column names recipes of its own.",
        table(
            ("model", "what it is", "input", *(f"parameters, `{name}`" for name in SCHEMES), "MACs", "own recipes"),
            rows,
            right=range(3, 4 + len(SCHEMES)),
        ),
    )


def card_page(spec: ModelSpec, facts: dict[str, Any], published: Published) -> str:
    """One model's card."""
    return page(
        f"# {shown_name(spec)}",
        f"{prose(spec.summary)}.",
        f"**Not run.** {prose(spec.not_run)}" if spec.not_run else "",
        table(("", ""), _facts(spec, facts)),
        "## Source",
        _source(spec.card),
        "## What this version keeps of it" if spec.card.source else "## What it is",
        prose(spec.card.text),
        _list("## Where it deviates", spec.card.deviations),
        _list("## Assumed, because the source does not say", spec.card.assumed),
        "## Scores",
        scores(published, spec.name),
        _examples(spec),
        *_recipes(spec),
        page("## Settings of the model", settings_table(spec, "model")) if spec.settings else "",
        _layers(facts),
    )


def _facts(spec: ModelSpec, facts: dict[str, Any]) -> list[tuple[str, str]]:
    kind = {"net": "net, trained by the engine", "predictor": "predictor that fits by itself"}[spec.kind]
    rows = [("kind", f"{kind}; baseline" if spec.role == "baseline" else kind), ("input", _input(spec))]
    rows += [
        ("parameters", f"{number(count)} with {2 * len(SCHEMES[name].points)} outputs (`{name}`)")
        for name, count in facts["sizes"].items()
    ]
    if facts["sizes"]:
        rows.append(("multiply-accumulates", f"{number(facts['macs'])} for one picture (`{SCHEME}`)"))
    if spec.needs:
        rows.append(("needs", ", ".join(map(code, spec.needs))))
    if not facts["available"]:
        rows.append(("when this site was built", prose(str(facts["reason"]))))
    rows.append(("comes with", prose(str(facts["plugin"]))))
    return rows


def _input(spec: ModelSpec) -> str:
    channels, size = spec.input
    return f"{channels}×{size}×{size}"


def _source(card: Card) -> str:
    if not card.source:
        return "This project's own."
    return f"{prose(card.source)}" + (f": <{card.url}>" if card.url else "")


def _list(title: str, lines: tuple[str, ...]) -> str:
    return page(title, "\n".join(f"- {prose(line)}" for line in lines)) if lines else ""


def _examples(spec: ModelSpec) -> str:
    """Members of a family, with their sizes."""
    if spec.member is None or spec.lacking():
        return ""
    member = resolve(spec.member)
    found = [(rest, size_of(member(spec, rest))) for rest in spec.examples]
    rows = [
        (code(f"{spec.name}:{rest}"), "×".join(map(str, [facts["input"][0], facts["input"][1], facts["input"][1]])),
         number(facts["parameters"]), number(facts["macs"])) for rest, facts in found
    ]  # fmt: skip
    return page(
        "## Examples",
        f"`fkbench list models '{spec.name}:*'` names them all.",
        table(("model", "input", "parameters", "MACs"), rows, right=(2, 3)),
    )


def _recipes(spec: ModelSpec) -> list[str]:
    if spec.kind != "net":
        return []
    own = [
        page(f"## Recipe of its own: `{name}`", f"`fkbench run --model {spec.name} --dataset … --protocol {name}`",
             recipe_table(recipe))
        for name, recipe in spec.recipes.items()
    ]  # fmt: skip
    common = ", ".join(code(name) for name, protocol in PROTOCOLS.items() if protocol.recipe is not None)
    return [*own, f"The recipes of {common} are the same for every net: see [settings](../reference/protocols.md)."]


def _layers(facts: dict[str, Any]) -> str:
    rows = [
        (code(row["name"]), prose(row["type"]), prose(row["detail"]),
         "×".join(map(str, row["output"])) or "not executed", number(row["parameters"]), number(row["macs"]))
        for row in facts["layers"]
    ]  # fmt: skip
    header = ("layer", "type", "", "output", "parameters", "MACs")
    return page("## Layers", table(header, rows, right=(4, 5))) if rows else ""
