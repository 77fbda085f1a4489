"""Docstrings as Markdown: paragraphs as they are, `Args:`, `Attributes:`, `Raises:` and `Returns:` as tables."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from fkbench_docs.markup import code, fence, page, prose, table

SECTIONS = ("Args", "Attributes", "Returns", "Raises")


def parts(owner: object) -> tuple[str, dict[str, str]]:
    """The text of a docstring before its sections, and the sections by name, indented as they stand."""
    text = inspect.getdoc(owner) or ""
    pieces = re.split(rf"^({'|'.join(SECTIONS)}):\n", text, flags=re.MULTILINE)
    return pieces[0].strip(), dict(zip(pieces[1::2], pieces[2::2], strict=True))


def entries(section: str) -> dict[str, str]:
    """`name: text` entries of a section, their lines joined."""
    found: dict[str, str] = {}
    for entry in re.split(r"\n {4}(?=\S)", f"\n{section.rstrip()}"):
        name, colon, words = entry.partition(":")
        if colon and name.strip():
            found[name.strip()] = " ".join(words.split())
    return found


def described(owner: type) -> dict[str, str]:
    """What the docstring's `Attributes:` say of each field, those of the classes above included."""
    found: dict[str, str] = {}
    for base in reversed(inspect.getmro(owner)):
        if base.__doc__ and base is not object:
            found |= entries(parts(base)[1].get("Attributes", ""))
    return found


def text_of(owner: object) -> str:
    """The paragraphs of a docstring before its sections; indented blocks stay code."""
    blocks = re.split(r"\n\s*\n", parts(owner)[0])
    return page(*(block if re.match(r" {4}|\* |\|", block) else prose(block) for block in blocks))


def class_block(owner: type) -> str:
    """What a dataclass is for, and its fields with type, default and meaning."""
    texts = described(owner)
    rows = [
        (code(field.name), code(_type(field.type)), code(_default(field)), prose(texts.get(field.name, "")))
        for field in dataclasses.fields(owner)
    ]
    return page(text_of(owner), table(("field", "type", "default", "meaning"), rows))


def _type(hint: Any) -> str:
    return hint if isinstance(hint, str) else getattr(hint, "__name__", str(hint))


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    elif field.default is dataclasses.MISSING:
        return "required"
    else:
        value = field.default
    if dataclasses.is_dataclass(value):
        return f"{type(value).__name__}()"
    return repr(dict(value) if isinstance(value, Mapping) else value)


def function_block(owner: Callable[..., Any], name: str) -> str:
    """A function's signature, text, arguments, result and errors."""
    _, sections = parts(owner)
    blocks = [fence(f"{name}{_signature(owner)}", "python"), text_of(owner)]
    if "Args" in sections:
        rows = [(code(argument), prose(words)) for argument, words in entries(sections["Args"]).items()]
        blocks.append(table(("argument", "meaning"), rows))
    if "Returns" in sections:
        blocks.append(f"**Returns** {prose(sections['Returns'])}")
    for error, words in entries(sections.get("Raises", "")).items():
        blocks.append(f"**Raises** {code(error)}: {prose(words)}")
    return page(*blocks)


def _signature(owner: Callable[..., Any]) -> str:
    """With annotations as written; one argument a line where it is long."""
    text = str(inspect.signature(owner)).replace("'", "")
    if len(text) < 80:
        return text
    arguments = [str(argument).replace("'", "") for argument in inspect.signature(owner).parameters.values()]
    stars = [i for i, p in enumerate(inspect.signature(owner).parameters.values()) if p.kind is p.KEYWORD_ONLY]
    has_rest = any(p.kind is p.VAR_POSITIONAL for p in inspect.signature(owner).parameters.values())
    if stars and not has_rest:
        arguments.insert(stars[0], "*")
    return "(\n" + "".join(f"    {argument},\n" for argument in arguments) + ")" + text[text.rindex(")") + 1 :]
