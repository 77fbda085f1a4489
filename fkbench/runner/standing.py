"""Whether finished runs stand for the code at hand, and the mark of those that do not. Imports torch only for a probe.

Runs of one's own alone are looked at: a published result is of the commit that its record names, and its table is made
from the records on any machine, whatever code is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fkbench.boards.plans import STALE
from fkbench.errors import FkbenchError
from fkbench.finding import find_run_dataset
from fkbench.records import RunRecord, canonical_json, is_published
from fkbench.registry import Registry
from fkbench.runner.provenance import probe, source_digest
from fkbench.schemes import scheme_of
from fkbench.specs import ModelSpec


def brings_weights(model: ModelSpec, settings: dict[str, Any]) -> bool:
    """Whether the net's fresh weights come from elsewhere, as its settings ask for."""
    return any(setting.fresh and settings[name] != setting.default for name, setting in model.settings.items())


def stands(record: RunRecord, model: ModelSpec, source: str, outputs: Callable[[], int]) -> bool:
    """Whether what a finished run says holds for the model's code as it is: the same files, or the same answers.

    Args:
        model: as it is now, sized as in the run.
        source: digest of its files.
        outputs: how many numbers the net gives; asked only where the files differ.
    """
    if record.model.source == source and source != "unknown":
        return True
    settings = dict(record.model.settings)
    if brings_weights(model, settings):
        return False  # the probe has no fresh weights from elsewhere, which other code may take from elsewhere
    now = probe(model, settings, outputs())
    return now is not None and now == record.probe


@dataclass
class Standing:
    """Looks at finished runs, at what is common to several once.

    Attributes:
        registry: where models and datasets are looked up; a run whose own are not there is left as it is, and so is one
            without a probe, as those of predictors that are no nets.
        data: the data folder, by which a run on own data finds the file that describes it.
    """

    registry: Registry
    data: Path | None = None
    _digests: dict[str, str] = field(default_factory=dict)
    _found: dict[str, bool] = field(default_factory=dict)

    def marked(self, records: Iterable[RunRecord]) -> list[RunRecord]:
        """The same records, those of own runs that no longer stand with the mark `stale`."""
        return [
            record.model_copy(update={"flags": [*record.flags, STALE]}) if self._is_stale(record) else record
            for record in records
        ]

    def _is_stale(self, record: RunRecord) -> bool:
        if record.status != "done" or is_published(record) or STALE in record.flags:
            return False
        stated = [record.model.name, record.model.source, record.model.settings, record.probe, record.dataset.name]
        question = canonical_json(stated)
        if question not in self._found:
            self._found[question] = not self._stands(record)
        return self._found[question]

    def _stands(self, record: RunRecord) -> bool:
        """True as well where it cannot be told here: model, data or a package is missing, or there is no probe."""
        try:
            model = self.registry.get(ModelSpec, record.model.name)
            if model.name not in self._digests:
                self._digests[model.name] = source_digest(model)
            source = self._digests[model.name]
            if record.model.source == source or record.probe is None:
                return True
            scheme = scheme_of(find_run_dataset(self.registry, record.dataset.name, self.data))
        except (FkbenchError, ImportError):
            return True
        try:
            return stands(record, model.sized(record.model.settings), source, lambda: 2 * len(scheme.points))
        except ImportError:
            return True
        except Exception:  # by the model's own code, which ran once
            return False
