"""Results about detectors in a published folder: checked and scrubbed, beside the runs that they are about."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fkbench.boards.detections import detectors_slug
from fkbench.errors import FkbenchError
from fkbench.publishing.scrubbing import Scrubber, private_part
from fkbench.records import RunRecord, is_published
from fkbench.records.beside import RESULTS
from fkbench.records.detection_keys import boxed_stem, detector_key, detector_stem
from fkbench.records.detections import (
    DETECTOR,
    SCORE,
    BoxedResult,
    DetectorResult,
    boxed_files,
    detector_files,
    names_of,
    read_detection,
)
from fkbench.records.files import write_atomic


@dataclass
class Sides:
    """What publishing results about detectors has done.

    Attributes:
        written: new files, and those replaced.
        kept: files that have other content than the results given here, and stay.
        refused: source → why it is not fit to be published.
    """

    written: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def publish_boxed(record: RunRecord, file: Path, scrubber: Scrubber, done: Sides, *, replace: bool = False) -> None:
    """A run's scores with detectors' boxes, beside its published record.

    Args:
        record: where it came from.
        file: of the published record.
        scrubber: takes out names and paths.
        done: is added to.
        replace: put it in the place of another answer to the same question.

    Raises:
        FkbenchError: the folder cannot be written.
    """
    used = Scrubber() if is_published(record) else scrubber
    for _, source in boxed_files(record):
        try:
            page = read_detection(source, BoxedResult)
            _check_names(page["model"], page["box"], page["dataset"])
            if (page["subject"], page["dataset"]["fingerprint"]) != (record.key, record.dataset.fingerprint):
                raise FkbenchError("it is of another run, or of other data")
        except FkbenchError as error:
            done.refused[str(source)] = error.message
            continue
        clean = used.detection(page)
        target = file.with_name(f"{file.name.removesuffix('.json')}.{boxed_stem(clean)}{SCORE}")
        _put(clean, target, done, replace=replace)


def publish_detectors(
    root: Path,
    folder: Path,
    scrubber: Scrubber,
    done: Sides,
    *,
    dataset: str | None = None,
    only: Collection[str] | None = None,
    replace: bool = False,
) -> None:
    """The scores of detectors of a runs folder or a published one; further arguments and errors as for `publish_boxed`.

    Args:
        dataset: those on this one only.
        only: those of these names (`detector@dataset`, `detector@dataset/split`) only. What cannot be read has no name.
    """
    for source in detector_files(root):
        if source.resolve().is_relative_to((folder / RESULTS).resolve()):
            continue
        try:
            page = read_detection(source, DetectorResult)
            _check_names(page["detector"]["name"], page["dataset"])
        except FkbenchError as error:
            if only is None:
                done.refused[str(source)] = error.message
            continue
        named = only is None or any(name in only for name in names_of(page))
        if named and dataset in (None, page["dataset"]["name"]):
            used = Scrubber() if source.name.endswith(DETECTOR) else scrubber
            clean = used.detection(page)
            # A setting that told of its author has another text now, and the key is that of what is published.
            clean["key"] = detector_key(clean)
            target = folder / RESULTS / detectors_slug(page["dataset"]) / f"{detector_stem(clean)}{DETECTOR}"
            _put(clean, target, done, replace=replace)


def _check_names(*parts: str | Mapping[str, Any]) -> None:
    named = tuple(part if isinstance(part, str) else part[key] for part in parts
                  for key in (("",) if isinstance(part, str) else ("name", "split")))  # fmt: skip
    private = private_part(named)
    if private:
        raise FkbenchError(f"the name '{private[:80]}' is a path of a machine")


def _put(page: Mapping[str, Any], target: Path, done: Sides, *, replace: bool) -> None:
    data = (json.dumps(page, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()
    if target.is_file() and target.read_bytes() == data:
        return
    if target.is_file() and not replace:
        done.kept.append(target)
        return
    write_atomic(target, data)
    done.written.append(target)
