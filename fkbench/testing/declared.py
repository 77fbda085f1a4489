"""Checks of what a spec says about itself, without running any of its code."""

from __future__ import annotations

from fkbench.errors import FkbenchError
from fkbench.schemes import Scheme, scheme_of
from fkbench.specs import DatasetSpec, Spec
from fkbench.testing.findings import Check, Problem

SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-:")
"""Characters of names: they become folders and files, and words on a command line."""


def declared(spec: Spec) -> str:
    """Name, summary and settings of any spec; splits, boxes and ways of a dataset's."""
    if not spec.name or set(spec.name) - SAFE or spec.name.startswith((".", "-")):
        raise Problem(
            f"The name '{spec.name}' cannot be a folder and a word on the command line.",
            "Use letters, digits, '.', '_' and '-', the first a letter or digit.",
        )
    if not spec.summary.strip() or "\n" in spec.summary:
        raise Problem(
            f"'{spec.name}' has no summary of one line.", "Give summary=…, or a docstring: `fkbench list` shows it."
        )
    bare = [name for name, setting in spec.settings.items() if not setting.help.strip()]
    if bare:
        raise Problem(f"Settings without a word of help: {', '.join(bare)}.", "Setting(default, 'what it does').")
    odd = [name for name, s in spec.settings.items() if s.choices and s.default not in s.choices]
    if odd:
        raise Problem(f"The default is not among the choices of: {', '.join(odd)}.", "Add it to the choices.")
    if isinstance(spec, DatasetSpec):
        _dataset(spec)
    return "Name, summary and settings are in order."


def _dataset(spec: DatasetSpec) -> None:
    try:
        scheme_of(spec)
    except FkbenchError as error:
        raise Problem(error.message, error.remedy) from error
    names = [split.name for split in spec.splits]
    if not names or len(set(names)) < len(names) or any("/" in name for name in names):
        raise Problem(f"The names of the splits are {names}.", "One at least, each once, and none with a '/'.")
    for protocol in ("uniform", *spec.defaults):
        split, box = spec.default_split(protocol), spec.default_box(protocol)
        if split not in names or (box not in spec.boxes and not spec.any_box):
            raise Problem(
                f"For the protocol '{protocol}' it states split '{split}' and box '{box}', which it does not have.",
                f"Its splits: {', '.join(names)}; its boxes: {', '.join(spec.boxes)}.",
            )
    if not spec.ways.strip():
        raise Problem(
            "It does not say how to get its data.", "ways='…' is shown to those who do not have it, one sentence."
        )


def scheme_fault(scheme: Scheme) -> tuple[str, str] | None:
    """What is wrong with a landmark scheme, and the remedy; None: nothing is."""
    count = len(scheme.points)
    if count == 0 or len(set(scheme.points)) < count:
        return "Its points must have names, each its own.", "Look for a name that stands twice."
    paired = [index for pair in scheme.flip_pairs for index in pair]
    if any(not 0 <= index < count for index in paired):
        return f"A flip pair names a point beyond the {count} that there are.", "Points are counted from 0."
    order = scheme.flip_order()
    if len(set(paired)) < len(paired) or any(order[order[index]] != index for index in range(count)):
        return (
            "Mirrored twice, the points do not come back to their places.",
            "A point may stand in one flip pair only.",
        )
    members = sorted(index for region in scheme.regions.values() for index in region)
    if scheme.regions and members != list(range(count)):
        return "Its regions do not hold every point exactly once.", "Name each point in one region."
    regions = {frozenset(region) for region in scheme.regions.values()}
    torn = [name for name, part in scheme.regions.items() if frozenset(order[index] for index in part) not in regions]
    if torn:
        return (
            f"Mirrored, the region '{torn[0]}' is no region.",
            "The points of a left part must pair with those of the right one.",
        )
    ends = [i for pair in scheme.normalisers.values() for end in pair for i in end]
    if any(not 0 <= index < count for index in ends):
        return f"A normaliser names a point beyond the {count} that there are.", "Points are counted from 0."
    return None


CHECKS = (Check("declared", "name, summary and settings are in order", lambda subject: declared(subject.spec)),)
