"""Scores of published records, for the model cards; nothing is shown that no record holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fkbench.records import ResultStore, RunRecord, read_record
from fkbench_docs.markup import code, number, prose, table

NOTHING = "No published record yet."


@dataclass(frozen=True)
class Published:
    """Finished records of a published results folder, by the order of their files."""

    records: tuple[RunRecord, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Published:
        """All records of runs in `folder/results`; none where the folder is not there.

        Raises:
            FkbenchError: a record cannot be read; the file is named.
        """
        found = [read_record(file) for file in ResultStore(folder).files()]
        return cls(tuple(record for record in found if record.status == "done"))

    def of(self, model: str) -> list[RunRecord]:
        return [record for record in self.records if record.model.name == model]


def scores(published: Published, model: str) -> str:
    """The scores of a model's published records, one row each."""
    rows = [_row(record) for record in published.of(model)]
    header = ("dataset", "protocol", "box", "seed", "rmse px", "95 %", "NME %", "device", "marks", "key")
    return table(header, sorted(rows), right=(3, 4)) or NOTHING


def _row(record: RunRecord) -> tuple[str, ...]:
    data, protocol = record.dataset, record.protocol
    ends = record.metrics.get("rmse_ci")
    interval = " – ".join(number(end) for end in ends if isinstance(end, float)) if isinstance(ends, list) else ""
    nme = record.metric("nme@inter_ocular")
    changed = ["settings changed"] if protocol.overrides else []
    return (
        code(f"{data.name}/{data.split}"), code(f"{protocol.name} v{protocol.version}"), code(record.box),
        str(record.seed), number(record.metric("rmse")), interval, number(None if nme is None else 100 * nme),
        prose(record.device.name or record.device.type), prose(", ".join([*record.flags, *changed])),
        code(record.key[:12]),
    )  # fmt: skip
