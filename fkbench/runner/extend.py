"""`--extend`: going on from a finished run is allowed only where the longer run itself would have come that way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fkbench.datasets.access import resolve_settings
from fkbench.errors import FkbenchError
from fkbench.records import RunRecord
from fkbench.records.plain import plain
from fkbench.runner.plan import Request, resolve_recipe
from fkbench.specs import Recipe

if TYPE_CHECKING:
    from fkbench.runner.inputs import Inputs


def check_parent(parent: RunRecord, request: Request, inputs: Inputs) -> None:
    """Refuse a parent that differs in anything but the number of epochs.

    Otherwise rows that one split trains on could be tested on by the other, and a record would name a seed or a
    recipe that made only a part of it.

    Raises:
        FkbenchError: the first difference is named.
    """
    recipe, _ = resolve_recipe(request)
    if recipe is None or parent.status != "done" or recipe.schedule != "constant" or recipe.selection != "last":
        raise FkbenchError(
            f"The run {parent.key} cannot be extended: it keeps no state to go on from.",
            "Finished runs of an article recipe with last weights and a constant rate keep it.",
        )
    for what, (had, has) in _compared(parent, request, inputs, recipe).items():
        if had != has:
            raise FkbenchError(
                f"The run {parent.key} cannot be extended: its {what} is not the one asked for.",
                "Repeat its own command with a larger --epochs and --extend.",
            )
    done = parent.history.epochs if parent.history else None
    if done is None or recipe.epochs <= done:
        raise FkbenchError(
            f"The run {parent.key} has {done} epochs already; {recipe.epochs} are asked for.", "Give a larger --epochs."
        )


def _compared(
    parent: RunRecord, request: Request, inputs: Inputs, recipe: Recipe
) -> dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """What must be the same: name → (the parent's, the one asked for)."""
    from fkbench.runner.page import box_page  # with torch, which a refused request need not wait for

    wanted = {k: v for k, v in plain(recipe).items() if k != "epochs"}
    theirs = {k: v for k, v in parent.protocol.recipe.items() if k != "epochs"}
    model = resolve_settings("model", request.model.settings, request.settings.get("model", {}))
    return {
        "model": ((parent.model.name, parent.model.settings), (request.model.name, plain(model))),
        "data": ((parent.dataset.fingerprint,), (inputs.samples.fingerprint,)),
        "split": (
            (parent.dataset.split, parent.dataset.split_version),
            (inputs.split.name, inputs.split.version),
        ),
        "box": ((parent.box, parent.box_settings), (inputs.detector.name, plain(box_page(inputs.box)))),
        "protocol": (
            (parent.protocol.name, parent.protocol.version),
            (request.protocol.name, request.protocol.version),
        ),
        "recipe": ((theirs,), (wanted,)),
        "seed": ((parent.seed,), tuple(request.seeds)),
    }
