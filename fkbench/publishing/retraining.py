"""From a record to the request that trains it again, and the folder where that is done.

Records may come from others: names are looked up, values checked.

No torch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fkbench.errors import FkbenchError
from fkbench.finding import find_run_dataset
from fkbench.protocols import PROTOCOLS
from fkbench.recipes import Protocol, Recipe
from fkbench.records import RunRecord, subject_of
from fkbench.records.files import read_bounded, write_atomic
from fkbench.records.plain import plain
from fkbench.registry import Registry
from fkbench.runner.overrides import apply_overrides, recipe_settings
from fkbench.runner.plan import Request, check_usable, resolve_recipe, sized_request
from fkbench.runner.recorded import recorded_model, recorded_recipe
from fkbench.specs import ModelSpec

BUDGET = {"epochs", "images_seen"}
MARKS = ".reproduce"
MAX_MARK_BYTES = 4096


@dataclass(frozen=True)
class Trainings:
    """A runs folder in which results are trained again. A finished run counts as that only if it was made here for it.

    Without that a result could be held against itself: what is published is written anew and without what could name
    its author, so that it does not look like the run that it comes from.

    Attributes:
        root: the folder. `.reproduce/<key>.json` in it says for which result a run was trained.
        subject: SHA-256 of the result, see `subject_of`.
    """

    root: Path
    subject: str

    def claim(self) -> None:
        """Make the folder one for new trainings.

        Raises:
            FkbenchError: it holds runs that were made otherwise, or cannot be written.
        """
        marks = self.root / MARKS
        if marks.is_dir():
            return
        if any(path.is_dir() for path in self.root.glob("*/*/*")):
            raise FkbenchError(
                f"'{self.root}' holds runs that `fkbench reproduce` has not made.", "Choose another folder with --into."
            )
        try:
            marks.mkdir(parents=True)
        except OSError as error:
            raise FkbenchError(
                f"Cannot make the folder '{marks}': {error.strerror or error}.", "Choose another folder with --into."
            ) from error

    def mark(self, made: RunRecord) -> None:
        """Note that a run was trained for the result just now."""
        page = {"subject": self.subject, "training": subject_of(made)}
        write_atomic(self.root / MARKS / f"{made.key}.json", (json.dumps(page) + "\n").encode())

    def check(self, found: RunRecord | None) -> None:
        """Refuse a finished run that is there but was not trained for the result.

        Raises:
            FkbenchError: it is such a one.
        """
        if found is None or found.status != "done":
            return
        try:
            mark = json.loads(read_bounded(self.root / MARKS / f"{found.key}.json", MAX_MARK_BYTES))
        except (FkbenchError, ValueError):
            mark = None
        if mark != {"subject": self.subject, "training": subject_of(found)}:
            raise FkbenchError(
                f"The run {found.key} in '{self.root}' was not trained for this result.",
                "--force trains it again; or choose another folder with --into.",
            )


def request_of(
    record: RunRecord, registry: Registry, data: Path, *, seeds: Sequence[int], device: str, force: bool = False
) -> Request:
    """The request of a record's plan: its recipe as recorded, whatever the protocol of that name is here.

    Args:
        data: the data folder, by which own data is found.

    Raises:
        FkbenchError: the record is not of a finished run, its model, data or recipe cannot be used here, or its recipe
            and what it says was changed do not go together.
    """
    if record.status != "done":
        raise FkbenchError(
            f"The run {record.key} is {record.status}: there is no result to reproduce.", "Name another."
        )
    model = _model(record, registry)
    changed = {name: v for name, v in record.protocol.overrides.items() if not name.startswith("model.")}
    request = Request(
        model=model,
        dataset=find_run_dataset(registry, record.dataset.name, data),
        protocol=_protocol(record),
        split=record.dataset.split,
        box=record.box,
        seeds=tuple(seeds),
        device=device,
        settings={
            "protocol": changed, "model": record.model.settings, "dataset": record.dataset.settings,
            "detector": record.detector_settings,
        },
        force=force,
    )  # fmt: skip
    recipe, _ = resolve_recipe(sized_request(request))
    if recipe is not None and plain(recipe) != plain(request.protocol.recipe):
        raise FkbenchError(
            f"The record {record.key} contradicts itself: its recipe is not what its changed settings give.",
            "`fkbench verify` and its author may know more.",
        )
    return request


def _model(record: RunRecord, registry: Registry) -> ModelSpec:
    model = recorded_model(record, registry)
    check_usable(model)
    if model.kind == "net" and not record.protocol.recipe:
        raise FkbenchError(f"The record {record.key} has no recipe: it cannot be trained again.")
    return model


def _protocol(record: RunRecord) -> Protocol:
    stated = record.protocol
    known = PROTOCOLS.get(stated.name)
    if known is None or known.version != stated.version:
        known = Protocol(stated.name, stated.version, "as a record has it", None)
    return replace(known, recipe=checked_recipe(stated.recipe) if stated.recipe else None)


def checked_recipe(page: Mapping[str, Any]) -> Recipe:
    """The recipe that a record states, if it is one that could have been asked for.

    Raises:
        FkbenchError: an unknown setting, a value of a wrong type or out of range.
    """
    recipe = recorded_recipe(page)
    settings = recipe_settings(recipe)
    values = {name: v for name, v in settings.items() if not isinstance(v, tuple) and name not in BUDGET}
    if recipe.epochs < 0 or recipe.images_seen < 0:
        raise FkbenchError("The record's recipe has a budget below zero.")
    apply_overrides(recipe, values)
    return recipe
