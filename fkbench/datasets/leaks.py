"""What stands on both sides of a split: the same person, the same clip, nearly the same picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fkbench.datasets.samples import IntArray, Samples, Split

EXAMPLES = 3


def leak_report(samples: Samples, split: Split) -> dict[str, Any]:
    """What train and val share with test.

    Returns:
        JSON-able: `split`, `counts`; `groups` and `clips` (null where there are none) each with `total` in the used
        part, how many stand on `both_sides`, `test_samples` that they concern, their `test_share`, and `examples`;
        `near_duplicates` with `pairs` in the used part, pairs `across`, and the same for test samples; the verdict
        `leaky`: any of them stands on both sides.
    """
    seen = np.concatenate([split.train, split.val])
    groups = _shared(samples.group, seen, split.test)
    clips = None if samples.clip is None else _shared(samples.clip, seen, split.test)
    pairs = _pairs(samples, seen, split.test)
    shared = groups["both_sides"] + (clips["both_sides"] if clips else 0) + pairs["across"]
    return {
        "split": split.name,
        "counts": split.counts,
        "groups": groups,
        "clips": clips,
        "near_duplicates": pairs,
        "leaky": shared > 0,
    }


def leak_numbers(samples: Samples, split: Split) -> dict[str, Any]:
    """The kinds of a leak report in numbers alone: no persons, no clips, no pictures are named."""
    report = leak_report(samples, split)
    kinds = {kind: report[kind] for kind in ("groups", "clips", "near_duplicates") if report[kind] is not None}
    return {kind: {k: v for k, v in part.items() if k != "examples"} for kind, part in kinds.items()}


def _shared(names: Sequence[str], seen: IntArray, test: IntArray) -> dict[str, Any]:
    known = {names[index] for index in seen}
    tested = [names[index] for index in test]
    both = sorted(known & set(tested))
    concerned = sum(name in known for name in tested)
    return {
        "total": len(known | set(tested)),
        "both_sides": len(both),
        "test_samples": concerned,
        "test_share": concerned / max(len(tested), 1),
        "examples": both[:EXAMPLES],
    }


def _pairs(samples: Samples, seen: IntArray, test: IntArray) -> dict[str, Any]:
    side = np.zeros(len(samples), np.int8)  # 0 unused, 1 seen in training or selection, 2 tested
    side[seen], side[test] = 1, 2
    sides: npt.NDArray[np.int8] = side[samples.duplicates]
    across = samples.duplicates[sides.sum(axis=1) == 3]
    concerned = len({int(index) for index in across.reshape(-1) if side[index] == 2})
    return {
        "pairs": int((sides > 0).all(axis=1).sum()),
        "across": len(across),
        "test_samples": concerned,
        "test_share": concerned / max(len(test), 1),
        "examples": [[samples.ids[first], samples.ids[second]] for first, second in across[:EXAMPLES].tolist()],
    }


def describe_leaks(report: Mapping[str, Any]) -> dict[str, str]:
    """A leak report in words, one line for each kind."""
    lines = {"verdict": "LEAKS: what is tested was seen in training" if report["leaky"] else "nothing on both sides"}
    for kind in ("groups", "clips"):
        part = report[kind]
        if part is not None:
            lines[kind] = f"{part['both_sides']} of {part['total']} on both sides{_concerned(part, part['both_sides'])}"
    pairs = report["near_duplicates"]
    lines["near-duplicates"] = f"{pairs['across']} of {pairs['pairs']} pairs across{_concerned(pairs, pairs['across'])}"
    return lines


def _concerned(part: Mapping[str, Any], count: int) -> str:
    if not count:
        return ""
    shown = ", ".join(item if isinstance(item, str) else " = ".join(item) for item in part["examples"])
    return f": {part['test_samples']} test samples ({part['test_share']:.1%}), for example {shown}"
