"""The spec of own data: what `--dataset ./mydata.toml` gives to everything that takes a dataset."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from fkbench.owndata.description import Description, describe
from fkbench.owndata.naming import pack_name
from fkbench.owndata.table import Table
from fkbench.specs import DatasetSpec, DetectorSpec, SplitSpec, Terms

if TYPE_CHECKING:
    from fkbench.datasets.samples import Samples
    from fkbench.datasets.store import Store

SPLIT = "fkbench.owndata.loading:split"
SCORINGS = ("own", "face224")
MARGIN = 0.25
"""Share of the box around training views of pictures that are no crops."""
GROUPED = SplitSpec("grouped", "65/10/25 % by a hash of the group", version=0)


@dataclass(frozen=True)
class Loader:
    """`DatasetSpec.load` of own data."""

    description: Description
    sized: bool

    def __call__(self, store: Store, settings: dict[str, Any]) -> Samples:
        from fkbench.owndata.loading import load

        return load(self.description, store, sized=self.sized)


def read_dataset(path: Path, detectors: Iterable[DetectorSpec]) -> DatasetSpec:
    """The dataset that a TOML file describes. Labels and pictures are not read yet.

    Args:
        path: the file.
        detectors: all sources of boxes that there are; the ones made from frame or labels are the default boxes.

    Raises:
        FkbenchError: the file is not there, is not TOML, or says something that cannot be; file and key are named.
    """
    description = describe(path)
    table = description.table
    crops = table.get("crops", bool, False)
    oracles = [spec for spec in detectors if spec.role == "oracle"]
    boxes = _boxes(table, crops, oracles)
    scoring = table.one_of("scoring", SCORINGS, "own" if crops else "face224")
    by_labels = {spec.name for spec in oracles if spec.needs_labels}
    splits = (_given(description), GROUPED) if description.given_split else (GROUPED,)
    return DatasetSpec(
        name=description.name,
        summary=table.get("summary", str, f"described by {path.name}").partition("\n")[0],
        scheme=description.scheme,
        load=Loader(description, sized=scoring != "own" or bool(by_labels & set(boxes))),
        split=SPLIT,
        makes=(pack_name(description),),
        splits=splits,
        boxes=boxes,
        any_box=table.get("any_box", bool, not crops),
        defaults={"uniform": (splits[0].name, boxes[0])},
        channels=description.channels,
        scoring=cast(Literal["own", "face224"], scoring),
        margin=0.0 if crops else MARGIN,
        terms=_terms(table),
        ways=f"It is read from the files that '{path.name}' names.",
    )


def _boxes(table: Table, crops: bool, oracles: list[DetectorSpec]) -> tuple[str, ...]:
    """As stated; else of crops the box that needs no labels, and of whole pictures first the one around the labels."""
    stated = table.texts("boxes")
    if "boxes" in table.values and not stated:
        raise table.wrong("boxes", "a list of at least one box")
    if stated:
        return stated
    usable = [spec for spec in oracles if not (crops and spec.needs_labels)]
    return tuple(spec.name for spec in sorted(usable, key=lambda spec: not spec.needs_labels)) or DatasetSpec.boxes


def _given(description: Description) -> SplitSpec:
    rule = description.split
    if rule is None:
        how = "as the label files are named"
    elif rule.key is None:
        how = "as the lists have it"
    else:
        how = (
            f"as the {rule.key.way} '{rule.key.value}' has it" if rule.key.way != "folder" else "as the folders have it"
        )
    return SplitSpec("given", f"{how}; without a validation part 10 % of the training groups", version=0)


def _terms(table: Table) -> Terms:
    inner = Table.of(table.get("terms", dict, {}), f"[terms] of {table.where}", ("licence", "url", "public", "note"))
    return Terms(
        inner.get("licence", str, "not stated"),
        url=inner.get("url", str, ""),
        public=inner.get("public", bool, False),
        note=inner.get("note", str, ""),
    )
