"""What must be known to read a comparison of two results, and why their speeds may not be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fkbench.boards.speed import TRAINING, threads_text

if TYPE_CHECKING:
    from fkbench.publishing.comparison import Side


def notes_of(a: Side, b: Side) -> list[str]:
    """In what two sides differ besides the model, what is missing, and why their speeds cannot be compared."""
    one, two = a.entry.first, b.entry.first
    notes = []
    for what, x, y in (
        ("protocols", f"{one.protocol.name} v{one.protocol.version}", f"{two.protocol.name} v{two.protocol.version}"),
        ("boxes", one.box, two.box),
    ):
        if x != y:
            notes.append(f"They are of different {what}: {x} and {y}.")
    notes += [note for side in (a, b) for note in _notes_of_side(side)]
    reason = speed_fault(a, b)
    if reason and (a.speed.session or b.speed.session):
        notes.append(f"Speeds are not comparable: {reason}.")
    if all(_training_known(side) for side in (a, b)) and (why := _shares_fault(a, b) or _disturbed_fault(a, b)):
        notes.append(f"Speeds of training are not comparable: {why}.")
    return notes


def _notes_of_side(side: Side) -> list[str]:
    """What must be known of one of them."""
    notes = []
    if len(side.seeds) == 1 and not side.entry.first.model.deterministic:
        notes.append(f"{side.name} has one seed: the answer is about this one training, not about the model.")
    for record in side.entry.unfinished:
        notes.append(f"{side.name}, seed {record.seed}: {record.status}, left out. {record.reason}".strip())
    flags = sorted({flag for record in side.entry.done for flag in record.flags})
    if flags:
        notes.append(f"{side.name} is marked: {', '.join(flags)}.")
    if len(set(side.entry.devices)) > 1:
        notes.append(f"{side.name} has seeds of several devices: {side.entry.device}.")
    for row in side.repeats:
        seeds = ", ".join(str(record.seed) for record in row.records)
        notes.append(f"{side.name}: a row that repeats seeds of it is left out ({row.device}, seeds {seeds}).")
    if side.entry.first.protocol.overrides:
        changes = ", ".join(f"{k}={v}" for k, v in sorted(side.entry.first.protocol.overrides.items()))
        notes.append(f"{side.name} has settings changed: {changes}.")
    return notes


def speed_fault(a: Side, b: Side) -> str:
    """Why the speeds of two sides cannot be compared; empty if they can."""
    for side in (a, b):  # before all else: what was not measured was measured under no conditions
        if side.speed.session is None:
            return f"{side.name} was not timed"
    if fault := _conditions_fault(a, b):
        return fault
    for side in (a, b):
        if side.speed.session != "full":
            return f"the session of {side.name} is {side.speed.session}"
    return ""


def training_fault(a: Side, b: Side) -> str:
    """The same for speeds of training, which is timed outside the session.

    Seeds trained at once have shares of it, and beside other work seconds are no more than a bound.
    """
    for side in (a, b):
        if not _training_known(side):
            return f"the training of {side.name} was not timed"
    return _conditions_fault(a, b) or _shares_fault(a, b) or _disturbed_fault(a, b)


def _training_known(side: Side) -> bool:
    return any(name in side.speed.numbers for name in TRAINING)


def _shares_fault(a: Side, b: Side) -> str:
    if a.speed.at_once == b.speed.at_once:
        return ""
    one, two = ("alone" if n == 1 else f"{n} seeds at once" for n in (a.speed.at_once, b.speed.at_once))
    return f"trained {one} and {two}, where seconds are shares"


def _disturbed_fault(a: Side, b: Side) -> str:
    names = [side.name for side in (a, b) if side.speed.disturbed]
    return f"{' and '.join(names)} trained beside other work, where seconds are an upper bound" if names else ""


def _conditions_fault(a: Side, b: Side) -> str:
    if a.speed.device != b.speed.device:
        return f"measured on {a.speed.device} and on {b.speed.device}"
    if a.speed.threads != b.speed.threads:
        one, two = (threads_text(side.speed.threads) or "threads that are not stated" for side in (a, b))
        return f"measured with {one} and with {two}"
    if a.speed.version != b.speed.version:
        return "measured under two versions of the timing contract"
    return ""
