"""A result as it is published: checked, scrubbed, its arrays made small, and nothing beside it that was not read."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fkbench.boards import BoardKey
from fkbench.errors import FkbenchError
from fkbench.publishing.arithmetic import ABSOLUTE, RELATIVE, check_metrics
from fkbench.publishing.scrubbing import Scrubber, private_part
from fkbench.records import (
    ERRORS_FILE,
    HISTORY_FILE,
    PREDICTIONS_FILE,
    FileInfo,
    RunRecord,
    beside,
    encode_errors,
    encode_history,
    encode_predictions,
    read_errors,
    read_history,
    read_points,
    safe_name,
)
from fkbench.records.files import sha256_of
from fkbench.score import ImageErrors

Points = npt.NDArray[np.floating]
GREATEST_SUM = 1e18
"""Squared scoring-frame pixels of an image, more than 100 points that are wrong by all that float16 can hold come to.

Points are within ±65504, the range of float16, and the scoring frame has at most 180 px per native one: 1e17 together.
Tests square these sums, and the squares once more: far from an overflow.
"""


class RefusedError(FkbenchError):
    """A result that is not fit to be published; the message is the reason."""


@dataclass(frozen=True)
class Form:
    """A result in the form in which it is published.

    Attributes:
        record: scrubbed; its `files` are those of `files`, its path is empty.
        files: name beside the record (`errors.safetensors`) → content.
        source: path of the record that it was made from.
    """

    record: RunRecord
    files: dict[str, bytes]
    source: str

    @property
    def board(self) -> str:
        """Name of the folder."""
        return BoardKey.of(self.record).slug

    @property
    def stem(self) -> str:
        """`<model>-<key>`; its first character is a letter, digit or `_`, so that no file looks like an option."""
        name = safe_name(self.record.model.name)
        return f"{f'_{name[1:]}' if name.startswith('-') else name}-{self.record.key}"

    @property
    def device_stem(self) -> str:
        """The same with six digits of the device's name, where another device has taken the name."""
        digits = hashlib.sha256(self.record.device.name.encode()).hexdigest()[:6]
        return f"{self.stem}-{digits}"


def fault_of_published(record: RunRecord) -> str:
    """Why a published result, as it lies in its folder, would be refused now; empty where it would not."""
    fault = fault_of_files(record)
    if fault or record.status != "done":
        return fault
    try:
        _checked_arrays(record)
    except (FkbenchError, ValueError) as error:
        return _said(error)
    return ""


def fault_of_files(record: RunRecord) -> str:
    """The same without a look into the files, which is for whole folders.

    All that the record lists must be there as it was written, history included; a finished one needs its predictions.
    """
    try:
        _check_names(record)
        _check_listed(record, tuple(record.files))
        if record.status == "done" and not beside(record, PREDICTIONS_FILE).is_file():
            raise RefusedError(f"there is no {PREDICTIONS_FILE}")
    except (FkbenchError, ValueError) as error:
        return _said(error)
    return ""


def _said(error: Exception) -> str:
    return getattr(error, "message", "") or str(error).splitlines()[0]


def published_form(record: RunRecord, scrubber: Scrubber) -> Form:
    """A result, by anyone, as it can be published.

    Raises:
        RefusedError: it is not fit for that; the message is the reason, in one line.
    """
    try:
        files = _files(record)
        clean = scrubber.record(record)
    except RefusedError:
        raise
    except (FkbenchError, ValueError) as error:
        raise RefusedError(_said(error)) from error
    listed = {name: FileInfo(bytes=len(data), sha256=hashlib.sha256(data).hexdigest()) for name, data in files.items()}
    return Form(clean.model_copy(update={"files": listed}), files, record.path)


def _files(record: RunRecord) -> dict[str, bytes]:
    _check_names(record)
    _check_listed(record, (ERRORS_FILE, PREDICTIONS_FILE))
    files = {}
    if record.status == "done":
        errors, ids, points = _checked_arrays(record)
        files = {
            ERRORS_FILE: encode_errors(errors, compact=True),
            PREDICTIONS_FILE: encode_predictions(ids, points, np.float16),
        }
    if beside(record, HISTORY_FILE).is_file():
        files[HISTORY_FILE] = encode_history(read_history(beside(record, HISTORY_FILE)))
    return files


def _checked_arrays(record: RunRecord) -> tuple[ImageErrors, tuple[str, ...], Points]:
    """Errors, names and points of a finished record, which go together and give its scores."""
    errors = read_errors(beside(record, ERRORS_FILE))
    ids, points = read_points(beside(record, PREDICTIONS_FILE))
    _check_errors(record, errors)
    _check_points(errors, ids, points)
    return errors, ids, points


def _check_names(record: RunRecord) -> None:
    named = (record.model.name, record.dataset.name, record.dataset.split, record.protocol.name, record.box)
    if not all(any(c.isprintable() and not c.isspace() for c in name) for name in named):
        raise RefusedError("a name of its model, dataset, split, protocol or box is blank")
    private = private_part(named)
    if private:
        raise RefusedError(f"the name '{private[:80]}' is a path of a machine")
    leading = next((name for name in named if {".", ".."} & set(re.split(r"[/\\]", name))), "")
    if leading:
        raise RefusedError(f"the name '{leading[:80]}' is a path")


def _check_errors(record: RunRecord, errors: ImageErrors) -> None:
    fault = fault_of_errors(errors)
    if fault:
        raise RefusedError(f"the errors per image {fault}")
    private = private_part((*errors.ids, *errors.group))
    if private:
        raise RefusedError(f"the name '{private[:80]}' of an image or group is a path of a machine")
    if record.metric("rmse") is None:
        raise RefusedError("it is finished and states no rmse")
    for line in check_metrics(record, errors):
        if line.verdict == "differs":
            gap = "" if line.difference is None else f" by {line.difference:.3g}"
            raise RefusedError(f"the errors per image do not give its {line.metric}: it differs{gap}")
    stated = record.dataset.counts.get("test")
    if stated is not None and stated != len(errors):
        raise RefusedError(f"it states {stated} test images, and the errors are of {len(errors)}")


def fault_of_errors(errors: ImageErrors) -> str:
    """What errors per image cannot be and are, as the end of "the errors per image"; empty if nothing is wrong.

    Sums of points are stored as float32 and are held to their image's sum by the tolerance of recorded numbers.
    """
    sums = (errors.sum_sq, errors.sum_sq_x, errors.sum_sq_y, errors.sum_abs, errors.point_sum_sq, errors.native_sum_sq)
    if not len(errors):
        return "are of no image"
    if len(set(errors.ids)) != len(errors):
        return "have an image twice"
    if not all(np.isfinite(values).all() and (values >= 0).all() for values in sums):
        return "are negative or not finite"
    if not all((values <= GREATEST_SUM).all() for values in sums):
        return f"are greater than predicted points can be wrong ({GREATEST_SUM:.0e})"
    if any((values < 0).any() or (values > GREATEST_SUM).any() for values in errors.nme.values()):
        return "have an NME that cannot be"
    if not np.isin(errors.point_count, (0, 2)).all():
        return "count coordinates that cannot be"
    if not np.array_equal(errors.point_count.sum(axis=1), errors.count):
        return "count other coordinates than those per point"
    parts = (errors.point_sum_sq.sum(axis=1), errors.sum_sq_x + errors.sum_sq_y)
    if not all(np.allclose(part, errors.sum_sq, rtol=RELATIVE, atol=ABSOLUTE) for part in parts):
        return "are not the sums of their parts: those of the points, or along x and y"
    return ""


def _check_points(errors: ImageErrors, ids: tuple[str, ...], points: Points) -> None:
    if ids != errors.ids:
        raise RefusedError("predictions and errors per image are of other images, or in another order")
    if points.shape[1] != errors.point_count.shape[1]:
        raise RefusedError(f"predictions of {points.shape[1]} points, errors of {errors.point_count.shape[1]}")
    largest = float(np.finfo(np.float16).max)
    if not (np.isfinite(points).all() and (np.abs(points) <= largest).all()):
        raise RefusedError("predicted points are not finite, or beyond the range of float16")


def _check_listed(record: RunRecord, names: tuple[str, ...]) -> None:
    """The files must be those that were written with the record."""
    for name in names:
        fault = fault_of_listed(record, name)
        if fault:
            raise RefusedError(f"its {name} {fault}")


def fault_of_listed(record: RunRecord, name: str) -> str:
    """What is wrong with a file that a record lists, as the end of "its errors.safetensors"; it names no folder.

    Empty where it is the one that was written with the record, or is not listed.
    """
    stated, path = record.files.get(name), beside(record, name)
    if stated is None:
        return ""
    if not path.is_file():
        return f"is listed, and there is no file '{path.name}'"
    try:
        return "" if sha256_of(path) == stated.sha256 else "is not the file that the record lists"
    except OSError:
        return "cannot be read"
