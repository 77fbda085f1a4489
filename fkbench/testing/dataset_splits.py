"""Checks of a dataset's splits: disjoint, covering what they say, the same every time, honest about groups."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fkbench.datasets.leaks import leak_report
from fkbench.datasets.samples import Split
from fkbench.datasets.splits import get_split
from fkbench.specs import SplitSpec
from fkbench.testing.datasets import DatasetSubject
from fkbench.testing.findings import Check, Problem


def splits(subject: DatasetSubject) -> str:
    for spec in subject.spec.splits:
        parts = list(_folds(subject, spec))  # get_split sees to it that parts are disjoint and not empty
        used = [_used(split) for split in parts]
        if any(other != used[0] for other in used[1:]):
            raise Problem(f"The folds of '{spec.name}' use different pictures.", "Every fold parts the same ones.")
        tested = np.concatenate([split.test for split in parts])
        if len(parts) > 1 and len(np.unique(tested)) < len(tested):
            raise Problem(f"Two folds of '{spec.name}' test the same picture.", "Folds must have disjoint test parts.")
        if len(parts) > 1 and len(tested) < len(used[0]):
            raise Problem(
                f"The folds of '{spec.name}' test {len(tested)} of {len(used[0])} pictures.",
                "Together they must test every one.",
            )
    return (
        "; ".join(
            f"{spec.name}: {'/'.join(map(str, next(_folds(subject, spec)).counts.values()))}"
            for spec in subject.spec.splits
        )
        + " (train/val/test), parts disjoint."
    )


def _folds(subject: DatasetSubject, spec: SplitSpec) -> Iterator[Split]:
    for fold in range(spec.folds):
        yield get_split(subject.spec, subject.samples, f"{spec.name}/{fold}" if spec.folds > 1 else spec.name)


def _used(split: Split) -> set[int]:
    return {int(index) for part in (split.train, split.val, split.test) for index in part}


def steady(subject: DatasetSubject) -> str:
    for spec in subject.spec.splits:
        seen = []
        for seed in (0, 1):
            np.random.seed(seed)
            seen.append(next(_folds(subject, spec)))
        one, two = seen
        if any(not np.array_equal(getattr(one, part), getattr(two, part)) for part in ("train", "val", "test")):
            raise Problem(
                f"The split '{spec.name}' is another one each time.",
                "Membership must follow from names or positions: fkbench.datasets.splits.by_group does it.",
            )
    return "Membership is the same every time."


def groups(subject: DatasetSubject) -> str:
    leaky = set()
    for spec in subject.spec.splits:
        for split in _folds(subject, spec):
            report = leak_report(subject.samples, split)
            if report["leaky"] and not split.leaky:
                raise Problem(
                    f"The split '{split.name}' tests what was seen in training: {_leak(report)}.",
                    "Keep a group in one part (by_group does), or state SplitSpec(…, leaky=True): it is then marked.",
                )
            if split.leaky:
                leaky.add(spec.name)
    said = f" Stated as leaky: {', '.join(sorted(leaky))}." if leaky else ""
    return f"No person, clip or near-duplicate on both sides of a split that is not stated as leaky.{said}"


def _leak(report: dict[str, dict[str, object]]) -> str:
    for kind, key in (("groups", "both_sides"), ("clips", "both_sides"), ("near_duplicates", "across")):
        part = report[kind]
        if part and part[key]:
            examples = part["examples"]
            shown = ", ".join(map(str, examples)) if isinstance(examples, list) else ""
            return f"{part[key]} {kind.replace('_', ' ')} on both sides, for example {shown}"
    return "see `fkbench show DATASET`"


CHECKS = (
    Check("splits", "splits are disjoint and their folds cover all", splits),
    Check("steady", "membership does not depend on chance", steady),
    Check("groups", "no group stands on both sides of an honest split", groups),
)
