"""Nothing that people can use is undocumented, and the pages of the site hang together.

Generated pages come from the code, so these tests look at what the code says of itself: a hook, option, setting or
field without a text fails here. What needs prose (commands, scores, protocols) must stand in pages written by hand.
"""

from __future__ import annotations

import dataclasses
import html
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from fkbench.boards.columns import COLUMNS
from fkbench.cli.main import COMMANDS
from fkbench.cli.show_protocol import protocol_rows
from fkbench.protocols import PROTOCOLS
from fkbench.recipes import Recipe
from fkbench.records import RunRecord
from fkbench.registry import load_registry
from fkbench.schemes import SCHEMES
from fkbench.score import image_errors, summary
from fkbench.specs import DatasetSpec, ModelSpec

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
HOOKS = DOCS / "_hooks"
if str(HOOKS) not in sys.path:
    sys.path.append(str(HOOKS))

from fkbench_docs import cards, commands, docstrings, formulas, interface  # noqa: E402
from fkbench_docs.published import NOTHING, Published  # noqa: E402

BY_HAND = {path.name: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}
README = (ROOT / "README.md").read_text(encoding="utf-8")
REGISTRY = load_registry()
EVERYWHERE = commands.global_options()
ALL_COMMANDS = commands.commands()
PREFIX = re.compile(r"`fkbench ([a-z]+)|^fkbench (?:--plugin \S+ )?([a-z]+)", re.MULTILINE)


@pytest.fixture(scope="module")
def pages():
    """Every generated file of the site."""
    import site_build

    return site_build.generated(ROOT / "leaderboards")


# --- commands and options -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ALL_COMMANDS, ids=lambda command: command.words)
def test_every_command_and_option_says_what_it_does(command):
    assert len(command.help.split()) >= 3
    silent = [parameter.names[0] for parameter in command.parameters if len(parameter.help.split()) < 2]
    assert not silent, f"`fkbench {command.words}`: no help for {silent}"


def test_every_command_and_option_stands_in_the_reference(pages):
    sections = re.split(r"^## ", pages["reference/commands.md"], flags=re.MULTILINE)
    text = {section.partition("\n")[0]: section for section in sections}
    for parameter in EVERYWHERE:
        assert all(f"`{name}" in text["Options of every command"] for name in parameter.names)
    for command in ALL_COMMANDS:
        for parameter in command.parameters:
            assert all(f"`{name}" in text[f"fkbench {command.words}"] for name in parameter.names), command.words


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_stands_in_a_page_written_by_hand(command):
    used = {a or b for text in [README, *BY_HAND.values()] for a, b in PREFIX.findall(text)}
    assert command in used


# --- hooks, specs, settings ---------------------------------------------------------------------------------------


def test_every_hook_says_what_it_is_for(pages):
    assert set(interface.hooks()) >= {"fkbench_models", "fkbench_run_finished"}
    for name, hook in interface.hooks().items():
        assert docstrings.text_of(hook), f"the hook {name} has no docstring"
        assert f"## {name}\n" in pages["reference/hooks.md"]


@pytest.mark.parametrize("owner", interface.spec_classes(), ids=lambda owner: owner.__name__)
def test_every_field_of_a_spec_says_what_it_is(owner, pages):
    assert f"## {owner.__name__}\n" in pages["reference/specs.md"]
    texts, prose = docstrings.described(owner), docstrings.text_of(owner)  # one may also be explained in passing
    names = [field.name for field in dataclasses.fields(owner)]
    silent = [name for name in names if name not in texts and not re.search(rf"\b{name}\b", prose)]
    assert not silent, f"{owner.__name__} does not say what {silent} are"


def test_every_public_function_says_what_it_does(pages):
    import fkbench

    page = pages["reference/python.md"]
    for name in fkbench.__all__:
        if not name.startswith("_"):
            assert f"fkbench.{name}" in page


@pytest.mark.parametrize("row", protocol_rows(Recipe()), ids=lambda row: row["name"])
def test_every_protocol_setting_has_a_meaning(row, pages):
    page = pages["reference/protocols.md"]
    found = re.search(rf"^\| `{re.escape(row['name'])}` \| ([^|]+) \|", page, re.MULTILINE)
    assert found, f"the setting {row['name']} is not in the reference"
    assert len(found[1].split()) >= 2, f"nothing is said of the setting {row['name']}"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_is_explained_by_hand_and_listed(protocol, pages):
    assert f"`{protocol}`" in BY_HAND["protocols.md"]
    assert f"`{protocol} v{PROTOCOLS[protocol].version}`" in pages["reference/protocols.md"]


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme_is_drawn_and_listed(name, pages):
    assert f"## {name}\n" in pages["reference/schemes.md"]
    assert all(f"`{point}`" in pages["reference/schemes.md"] for point in SCHEMES[name].points)
    assert b"<svg" in pages[f"reference/{name}.svg"]


# --- scores -------------------------------------------------------------------------------------------------------


OTHERS = {"rmse_ci", "missed_faces", "native_loss", "native_val_loss", "native_val_loss_best", "baseline_share"}
"""What runs and tables add; `test_readme` compares the records that it makes with the page too."""


def every_score() -> set[str]:
    """Names of all scores: of the core on images that have everything, and of each dataset's mixes."""
    mixes = {name: weights for spec in REGISTRY.all(DatasetSpec) for name, weights in spec.convention_mix.items()}
    kinds = sorted({kind for weights in mixes.values() for kind in weights})
    points = np.random.default_rng(0).uniform(0, 90, (len(kinds), 15, 2))
    names = [str(number) for number in range(len(kinds))]
    errors = image_errors(
        points + 1, points, np.ones(points.shape[:2], bool), scale=1.0, normalisers=SCHEMES["face15"].normalisers,
        ids=names, group=names, convention=names, kind=kinds,
    )  # fmt: skip
    return set(summary(errors, mixes=mixes)) | OTHERS


@pytest.mark.parametrize("score", sorted(every_score()))
def test_every_score_is_explained_by_hand(score):
    assert f"`{score}`" in BY_HAND["scores.md"]


@pytest.mark.parametrize("title", [column.title for column in COLUMNS])
def test_every_column_of_a_table_is_explained(title):
    assert f"| {title} |" in BY_HAND["scores.md"]


# --- model cards --------------------------------------------------------------------------------------------------


COUNTED = {
    "dfk": ("face15", 8_615_920), "kshirsagar": ("face68", 19_534_728), "landmark68": ("face68", 19_333_000),
    "fiyero": ("face68", 218_631_872), "fiyero-text": ("face68", 218_619_824), "baselinenet": ("face15", 3_454_686),
    "inception-naive": ("face15", 3_935_752_350),
}  # fmt: skip
"""Model → the landmark scheme of its article and the parameters with it, as the articles and their code have them."""


def sections(card: str) -> dict[str, str]:
    """Title → text of a card as it is read: without the marks that keep text from being taken for Markdown."""
    parts = re.split(r"^## ", card, flags=re.MULTILINE)
    return {title: html.unescape(text).strip() for title, _, text in (part.partition("\n") for part in parts)}


def listed(text: str) -> list[str]:
    return [line.removeprefix("- ") for line in text.splitlines()]


@pytest.mark.parametrize("spec", cards.models(REGISTRY), ids=lambda spec: spec.name)
def test_every_model_has_a_card(spec, pages):
    card = pages[f"cards/{cards.file_name(spec)}"]
    assert f"({cards.file_name(spec)})" in pages["cards/index.md"]
    shown = sections(card)
    about = spec.card
    assert about.text, f"the card of {spec.name} does not say what it is"
    assert not about.source or about.url or "address unknown" in about.source, f"{spec.name}: a source has an address"
    address = f": <{about.url}>" if about.url else ""
    assert shown["Source"] == (f"{about.source}{address}" if about.source else "This project's own.")
    assert shown["What this version keeps of it" if about.source else "What it is"] == about.text
    assert listed(shown.get("Where it deviates", "")) == list(about.deviations)
    assert listed(shown.get("Assumed, because the source does not say", "")) == list(about.assumed)
    for name in spec.recipes:
        assert "`codec.kind`" in shown[f"Recipe of its own: `{name}`"]
    for name in spec.settings:
        assert f"`model.{name}`" in shown["Settings of the model"]


@pytest.mark.parametrize("spec", [s for s in cards.models(REGISTRY) if s.recipes], ids=lambda spec: spec.name)
def test_what_is_rebuilt_from_an_article_says_where_it_comes_from_and_where_it_deviates(spec):
    assert spec.card.source
    assert spec.card.deviations or spec.card.assumed, f"nothing can be rebuilt without one: {spec.name}"


@pytest.mark.parametrize("name", COUNTED)
def test_a_card_counts_the_parameters_that_the_article_has(name, pages):
    scheme, count = COUNTED[name]
    outputs = 2 * len(SCHEMES[scheme].points)
    spelt = f"{count:,}".replace(",", "\u202f")
    assert f"| parameters | {spelt} with {outputs} outputs (`{scheme}`) |" in pages[f"cards/{name}.md"]
    assert spelt in pages["cards/index.md"]


def test_every_net_that_has_an_article_is_counted():
    articles = {s.name for s in cards.models(REGISTRY) if s.kind == "net" and s.member is None and s.card.source}
    assert articles == set(COUNTED)


def test_cards_show_published_records_and_invent_none(tmp_path):
    spec = REGISTRY.get(ModelSpec, "dfk")
    facts = {"sizes": {}, "macs": None, "available": True, "reason": None, "plugin": "", "layers": []}
    assert NOTHING in cards.card_page(spec, facts, Published.read(tmp_path))
    record = RunRecord.model_validate(
        {
            "schema": 1, "key": "0123456789abcdef", "status": "done", "model": {"name": "dfk"}, "seed": 3,
            "dataset": {"name": "kaggle15", "split": "complete", "fingerprint": "sha256:0"}, "box": "frame",
            "protocol": {"name": "uniform", "version": 1}, "device": {"type": "cpu", "name": "a <CPU>"},
            "metrics": {"rmse": 2.125, "rmse_ci": [2.0, 2.25]},
        }
    )  # fmt: skip
    board = tmp_path / "results" / "kaggle15-complete-uniform-v1-frame-00000000"
    board.mkdir(parents=True)
    (board / "dfk-0123456789abcdef.json").write_text(record.model_dump_json(by_alias=True))
    card = cards.card_page(spec, facts, Published.read(tmp_path))
    assert NOTHING not in card
    assert "| `kaggle15/complete` | `uniform v1` | `frame` | 3 | 2.125 | 2 – 2.25 |" in card
    assert "a <CPU>" not in card, "text by anyone must not be taken for HTML"


# --- pages and links ----------------------------------------------------------------------------------------------

LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)(#[^)\s]*)?\)")


@pytest.mark.parametrize("name", ["README.md", *BY_HAND])
def test_links_lead_somewhere(name, pages):
    text, folder = (README, ROOT) if name == "README.md" else (BY_HAND[name], DOCS)
    for target, _ in LINK.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        assert (folder / target).exists() or target.removeprefix("docs/") in pages, f"{name}: {target}"


def test_every_page_stands_in_the_navigation():
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert [name for name in BY_HAND if f": {name}\n" not in config] == []


def test_nothing_is_fetched_from_elsewhere():
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert "font: false" in config
    assert "http" not in re.sub(r"#.*", "", config), "a script, style or font from elsewhere"


def test_formulas_are_drawn():
    drawn = formulas.drawn(r'<p>so <span class="arithmatex">\(a &lt; \frac{b}{2}\)</span></p>')
    assert "arithmatex" not in drawn
    assert "<title>a &lt; \\frac{b}{2}</title>" in drawn
    assert re.search(r'<path d="M[\d. -]+', drawn)


def test_the_account_of_how_it_is_built_names_every_package():
    packages = sorted(path.parent.name for path in (ROOT / "fkbench").glob("*/__init__.py"))
    assert [name for name in packages if f"\n  {name}/ " not in BY_HAND["design.md"]] == []
