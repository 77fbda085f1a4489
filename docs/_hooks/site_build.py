"""MkDocs hook: adds the generated pages, and draws the formulas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fkbench_docs import cards, catalogue, commands, formulas, interface
from fkbench_docs.published import Published
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from fkbench.registry import Registry, load_registry

CARDS = "Model cards"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put a page for every model into the navigation."""
    names = [f"cards/{cards.file_name(spec)}" for spec in cards.models(_registry())]
    for entry in config.nav or []:
        if CARDS in entry:
            entry[CARDS] = ["cards/index.md", *names]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages and pictures."""
    for name, content in generated(Path(config.config_file_path).parent / "leaderboards").items():
        files.append(File.generated(config, name, content=content))
    return files


def generated(leaderboards: Path) -> dict[str, str | bytes]:
    """Every generated file of the site: path below `docs/` → content.

    Args:
        leaderboards: folder of published results; it need not be there.
    """
    registry = _registry()
    pages: dict[str, Callable[[], str]] = {
        "commands": commands.commands_page,
        "hooks": interface.hooks_page,
        "specs": interface.specs_page,
        "schemes": catalogue.schemes_page,
        "protocols": catalogue.protocols_page,
        "datasets": lambda: catalogue.datasets_page(registry),
        "others": lambda: catalogue.others_page(registry),
        "python": interface.python_page,
        "record": interface.record_page,
    }
    files: dict[str, str | bytes] = {f"reference/{name}.md": write() for name, write in pages.items()}
    files |= {f"reference/{name}": picture for name, picture in catalogue.scheme_pictures().items()}
    published = Published.read(leaderboards)
    found = [(spec, cards.size_of(spec)) for spec in cards.models(registry)]
    files["cards/index.md"] = cards.index_page(found)
    return files | {f"cards/{cards.file_name(s)}": cards.card_page(s, facts, published) for s, facts in found}


def _registry() -> Registry:
    return load_registry(strict=True)


def on_page_content(content: str, **_: Any) -> str:
    """Draw the formulas."""
    return formulas.drawn(content)
