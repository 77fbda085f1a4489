"""Rules that give every picture a name (person, clip) or a part of a split: by column, pattern, folder or list."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.owndata.table import DOCS, Table

if TYPE_CHECKING:
    from fkbench.owndata.faces import Face

PARTS = ("train", "val", "test")
UNUSED = "unused"
USUAL: Mapping[str, tuple[str, ...]] = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
    UNUSED: (),
}
"""What a split's column usually says, small or large letters."""
WAYS = ("column", "pattern", "folder")


@dataclass(frozen=True)
class Key:
    """Where a picture's name of some kind comes from.

    Attributes:
        what: the key in the file, for messages.
        way: `column`: of the labels; `pattern`: what the first group (or, without any, the whole) of a regular
            expression finds in the picture's name; `folder`: that many folders from the left of the name (negative:
            from the right).
    """

    what: str
    where: str
    way: str
    value: str | int

    def names(self, faces: Sequence[Face]) -> list[str]:
        """One text per face.

        Raises:
            FkbenchError: a face has none; its row is named.
        """
        if self.way == "column":
            return [self._column(face) for face in faces]
        if self.way == "folder":
            return [self._folder(face) for face in faces]
        pattern = re.compile(str(self.value))
        return [self._match(pattern, face) for face in faces]

    def _column(self, face: Face) -> str:
        if self.value not in face.fields:
            hint = "" if face.fields else "These labels have no columns beside the points."
            raise UnknownNameError(f"column in '{self.what}' of {self.where}:", str(self.value), face.fields, hint)
        text = str(face.fields[str(self.value)]).strip()
        if not text:
            raise FkbenchError(f"{face.where} has nothing in '{self.value}', its {self.what}.", "Fill it in.")
        return text

    def _folder(self, face: Face) -> str:
        folders = [part for part in PurePosixPath(face.picture).parent.parts if part != "/"]
        depth = int(self.value)
        if abs(depth) > len(folders):
            raise FkbenchError(
                f"{face.where}: '{face.picture}' has {len(folders)} folders in its name, and {self.what} asks for "
                f"folder {depth}.",
                "Count from 1, or from -1 backwards.",
            )
        return folders[depth - 1 if depth > 0 else depth]

    def _match(self, pattern: re.Pattern[str], face: Face) -> str:
        found = pattern.search(face.picture)
        text = found[1 if pattern.groups else 0] if found else None
        if not text:
            raise FkbenchError(
                f"{face.where}: the pattern of {self.what} finds nothing in '{face.picture}'.",
                f"It is '{self.value}' in {self.where}.",
            )
        return text


def read_key(table: Table, what: str, extra: tuple[str, ...] = ()) -> Key | None:
    """The rule under a key: a table with one of `column`, `pattern` and `folder`; None where there is none.

    Raises:
        FkbenchError: none or several ways, or one that cannot be.
    """
    if what not in table.values:
        return None
    values = table.get(what, dict, {})
    where = f"'{what}' of {table.where}"
    inner = Table.of(values, where, (*WAYS, *extra))
    given = [way for way in WAYS if way in values]
    if len(given) != 1:
        raise FkbenchError(f"{where} has {len(given)} of {', '.join(WAYS)}; one is needed.", f"{_example(what)} {DOCS}")
    way = given[0]
    if way == "folder":
        folder = inner.get("folder", int, 1)
        if folder == 0:
            raise inner.wrong("folder", "1 for the first folder of the name, 2 …, or -1 for the last")
        return Key(what, table.where, way, folder)
    if way == "column" and isinstance(values[way], int):
        return Key(what, table.where, way, str(inner.get("column", int, 1)))
    text = inner.get(way, str, "")
    if way == "pattern":
        try:
            re.compile(text)
        except re.error as error:
            raise FkbenchError(f"The pattern in {where} is no regular expression: {error}.", _example(what)) from error
    return Key(what, table.where, way, text)


def _example(what: str) -> str:
    return f"For example {what} = {{pattern = '^(.+)_\\d+'}} or {what} = {{column = \"{what}\"}}."


@dataclass(frozen=True)
class SplitRule:
    """How the parts are told: by what a key gives, or by lists of picture names in text files."""

    where: str
    key: Key | None
    values: Mapping[str, str]
    lists: Mapping[str, Path]

    def parts(self, faces: Sequence[Face]) -> list[str]:
        """`train`, `val`, `test` or `unused` for each face.

        Raises:
            FkbenchError: a face's value means no part, a listed picture has no labels, or one stands in two lists.
        """
        if self.key is None:
            return self._listed(faces)
        found = self.key.names(faces)
        for text, face in zip(found, faces, strict=True):
            if text.lower() not in self.values:
                known = ", ".join(self.values)
                raise FkbenchError(
                    f"{face.where}: '{text}' is no part of the split; known: {known}.",
                    f'Say in \'split\' what it means, for example test = ["{text}"], or unused = ["{text}"].',
                )
        return [self.values[text.lower()] for text in found]

    def _listed(self, faces: Sequence[Face]) -> list[str]:
        from fkbench.owndata.faces import plain_name, read_text

        known = {face.picture for face in faces}
        part_of: dict[str, str] = {}
        for part, path in self.lists.items():
            for number, line in enumerate(read_text(path).splitlines(), start=1):
                name = plain_name(line)
                if not name:
                    continue
                if name not in known:
                    raise FkbenchError(
                        f"Line {number} of '{path}' names '{name}', for which there are no labels.",
                        "Lists hold the pictures' names as the labels have them, one a line.",
                    )
                if part_of.setdefault(name, part) != part:
                    raise FkbenchError(
                        f"Line {number} of '{path}' names '{name}', which is in {part_of[name]} too.",
                        "Keep it in one of the lists.",
                    )
        return [part_of.get(face.picture, UNUSED) for face in faces]


def read_split(table: Table, base: Path) -> SplitRule | None:
    """The rule under `split`; None where there is none.

    Raises:
        FkbenchError: it cannot be understood, or a list is not there.
    """
    if "split" not in table.values:
        return None
    where = f"'split' of {table.where}"
    outer = Table.of(table.get("split", dict, {}), where, (*WAYS, "lists", *USUAL))
    if "lists" in outer.values:
        return _by_lists(outer, base)
    key = read_key(table, "split", ("lists", *USUAL))
    return SplitRule(where, key, _meanings(outer), {})


def _by_lists(outer: Table, base: Path) -> SplitRule:
    alone = [key for key in outer.values if key != "lists"]
    if alone:
        raise FkbenchError(f"{outer.where} has both lists and '{alone[0]}'.", "Keep one of the two.")
    inner = Table.of(outer.get("lists", dict, {}), f"'lists' in {outer.where}", PARTS)
    paths: dict[str, Path] = {}
    for part in PARTS:
        if part in inner.values:
            paths[part] = base / Path(inner.get(part, str, "")).expanduser()
            if not paths[part].is_file():
                raise FkbenchError(f"{inner.where}: there is no file '{paths[part]}'.", "Check the path.")
    if "train" not in paths or "test" not in paths:
        raise FkbenchError(
            f"{inner.where} needs train and test.", 'For example lists = {train = "a.txt", test = "b.txt"}.'
        )
    return SplitRule(outer.where, None, {}, paths)


def _meanings(outer: Table) -> dict[str, str]:
    """What a key's texts mean, in small letters."""
    found: dict[str, str] = {}
    for part, usual in USUAL.items():
        words: Any = outer.values.get(part, list(usual))
        words = [words] if isinstance(words, str) else words
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise outer.wrong(part, "a text, or a list of texts, that mean this part")
        for word in words:
            if found.setdefault(word.lower(), part) != part:
                raise FkbenchError(f"{outer.where} gives '{word}' two meanings.", "Keep one of them.")
    return found
