"""The landmark scheme of own data: the name of a built-in one, or a table that spells one out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.owndata.table import DOCS, Table
from fkbench.schemes import SCHEMES, Ends, Scheme

KEYS = ("name", "summary", "points", "flip_pairs", "regions", "normalisers", "outlines", "layout")
MOST_POINTS = 2000
RESERVED = "bbox"
"""A normaliser that the scores make themselves."""
_RANGE = re.compile(r"(\d+)\s*-\s*(\d+)")
_SIDES = re.compile("left|right")
_OTHER_SIDE = {"left": "right", "right": "left"}


def read_scheme(value: Any, where: str, dataset: str) -> Scheme:
    """The scheme that the key `scheme` states.

    Args:
        value: the name of a built-in scheme, or a table.
        where: how messages call the file.
        dataset: its name, from which the scheme's is made where it has none.

    Raises:
        FkbenchError: no such scheme, or a table that does not hold together.
    """
    if isinstance(value, str):
        if value not in SCHEMES:
            raise UnknownNameError(f"scheme in {where}:", value, SCHEMES, "Any other is spelled out in [scheme].")
        return SCHEMES[value]
    if not isinstance(value, Mapping):
        raise FkbenchError(f"'scheme' in {where} must be a name or a table, not {value!r}.", DOCS)
    table = Table.of(value, f"[scheme] of {where}", KEYS)
    points = _points(table)
    names = _Points(points, table.where)
    scheme = Scheme(
        name=_name(table, f"{dataset}-{len(points)}"),
        summary=table.get("summary", str, f"{len(points)} points of {dataset}"),
        points=points,
        flip_pairs=_flip_pairs(table, names),
        regions=_regions(table, names),
        normalisers=_normalisers(table, names),
        lines=tuple(names.many(chain, "outlines") for chain in table.get("outlines", list, [])),
        layout=_layout(table, len(points)),
    )
    if scheme.name in SCHEMES:
        raise FkbenchError(
            f"{table.where} has the name of the built-in scheme '{scheme.name}'.",
            f'Write scheme = "{scheme.name}" to use that one, or give yours another name.',
        )
    return scheme


def _name(table: Table, default: str) -> str:
    name = table.get("name", str, default)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        raise table.wrong("name", "made of letters, digits, '.', '_' and '-'")
    return name


def _points(table: Table) -> tuple[str, ...]:
    stated = table.values.get("points")
    if isinstance(stated, int) and not isinstance(stated, bool):
        if not 1 <= stated <= MOST_POINTS:
            raise table.wrong("points", f"from 1 to {MOST_POINTS}")
        return tuple(str(i) for i in range(stated))
    names = [*table.needed("points", list, 'points = ["left_eye", "right_eye", "nose"], or their number')]
    if not all(isinstance(name, str) and name.strip() and len(name) <= 100 for name in names):
        raise table.wrong("points", "a list of names, or the number of points")
    if not 1 <= len(names) <= MOST_POINTS:
        raise FkbenchError(
            f"'points' in {table.where} has {len(names)} names.", f"From 1 to {MOST_POINTS} are possible."
        )
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise FkbenchError(f"'points' in {table.where} has '{twice}' twice.", "Give every point a name of its own.")
    return tuple(names)


class _Points:
    """Resolves what a table calls a point: its name, its number from 0, or a range of numbers `3-7`."""

    def __init__(self, points: tuple[str, ...], where: str) -> None:
        self.points, self.where = points, where
        self._index = {name: i for i, name in enumerate(points)}

    def one(self, value: Any, key: str) -> int:
        if isinstance(value, str) and value in self._index:
            return self._index[value]
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(self.points):
            return value
        if isinstance(value, int):
            raise FkbenchError(
                f"'{key}' in {self.where} names the point {value}.", f"Points are 0 to {len(self.points) - 1}."
            )
        raise UnknownNameError(f"point in '{key}' of {self.where}:", str(value), self.points)

    def many(self, value: Any, key: str) -> tuple[int, ...]:
        """A point, or a list of points and ranges."""
        found: list[int] = []
        for item in value if isinstance(value, list) else [value]:
            span = _RANGE.fullmatch(item) if isinstance(item, str) and item not in self._index else None
            if span is None:
                found.append(self.one(item, key))
                continue
            first, last = self.one(int(span[1]), key), self.one(int(span[2]), key)
            if first > last:
                raise FkbenchError(f"'{key}' in {self.where} has the range '{item}'.", "The lower number goes first.")
            found += range(first, last + 1)
        if not found:
            raise FkbenchError(f"'{key}' in {self.where} has an empty list.", "Name at least one point.")
        return tuple(found)


def _flip_pairs(table: Table, points: _Points) -> tuple[tuple[int, int], ...]:
    if "flip_pairs" not in table.values:
        return _pairs_by_name(table, points)
    pairs: list[tuple[int, int]] = []
    seen: set[int] = set()
    for pair in table.get("flip_pairs", list, []):
        if not isinstance(pair, list) or len(pair) != 2:
            raise FkbenchError(
                f"'flip_pairs' in {table.where} has {pair!r}.", 'Pairs look like ["left_eye", "right_eye"].'
            )
        one, two = (points.one(value, "flip_pairs") for value in pair)
        if one == two or {one, two} & seen:
            name = points.points[one if one in seen or one == two else two]
            raise FkbenchError(
                f"'flip_pairs' in {table.where} pairs '{name}' more than once, or with itself.",
                "A point changes places with one other point; those on the middle line stand in no pair.",
            )
        seen |= {one, two}
        pairs.append((one, two))
    return tuple(pairs)


def _pairs_by_name(table: Table, points: _Points) -> tuple[tuple[int, int], ...]:
    """`left_eye` with `right_eye`; without any such names the pairs must be stated: a wrong flip spoils training."""
    index = {name: i for i, name in enumerate(points.points)}
    mirrored = {name: _SIDES.sub(lambda side: _OTHER_SIDE[side[0]], name) for name in points.points}
    sided = [name for name in points.points if mirrored[name] != name]
    alone = next((name for name in sided if mirrored[name] not in index), None)
    if not sided or alone is not None:
        why = "and its points are not named left and right" if alone is None else f"and '{alone}' has no counterpart"
        raise FkbenchError(
            f"{table.where} has no 'flip_pairs', {why}.",
            "State the pairs that change places in a mirrored face, or flip_pairs = [] if there are none.",
        )
    return tuple((index[name], index[mirrored[name]]) for name in sided if index[name] < index[mirrored[name]])


def _regions(table: Table, points: _Points) -> dict[str, tuple[int, ...]]:
    regions: dict[str, tuple[int, ...]] = {}
    owner: dict[int, str] = {}
    for name, members in table.get("regions", dict, {}).items():
        regions[name] = points.many(members, f"regions.{name}")
        for index in regions[name]:
            if index in owner:
                raise FkbenchError(
                    f"'regions' in {table.where} has the point '{points.points[index]}' in {owner[index]} and {name}.",
                    "A point lies in one region.",
                )
            owner[index] = name
    rest = tuple(index for index in range(len(points.points)) if index not in owner)
    if rest:
        name = "other" if regions else "points"
        regions[name] = (*regions.get(name, ()), *rest)
    return regions


def _normalisers(table: Table, points: _Points) -> dict[str, Ends]:
    found: dict[str, Ends] = {}
    for name, ends in table.get("normalisers", dict, {}).items():
        if name == RESERVED or not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
            raise FkbenchError(
                f"'normalisers' in {table.where} has the name '{name}'.",
                "Use small letters, digits and _, for example inter_ocular; bbox is made by itself.",
            )
        if not isinstance(ends, list) or len(ends) != 2:
            raise FkbenchError(
                f"'normalisers.{name}' in {table.where} must be two ends, not {ends!r}.",
                "An end is a point or a list of points whose mean it is: "
                'inter_ocular = ["left_eye_outer", "right_eye_outer"].',
            )
        one, two = (points.many(end, f"normalisers.{name}") for end in ends)
        if one == two:
            raise FkbenchError(f"'normalisers.{name}' in {table.where} has one end twice.", "Name two different ends.")
        found[name] = (one, two)
    return found


def _layout(table: Table, count: int) -> tuple[tuple[float, float], ...]:
    stated = table.get("layout", list, [])
    if stated and len(stated) != count:
        raise FkbenchError(f"'layout' in {table.where} has {len(stated)} places for {count} points.", DOCS)
    for place in stated:
        numbers = isinstance(place, list) and len(place) == 2 and all(isinstance(v, int | float) for v in place)
        if not numbers or not all(0 <= v <= 1 for v in place):
            raise FkbenchError(
                f"'layout' in {table.where} has the place {place!r}.", "Places are [x, y] from 0 to 1, y downwards."
            )
    return tuple((float(x), float(y)) for x, y in stated)
