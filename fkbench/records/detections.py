"""Results about detectors: how well one finds faces, and how well a run does with its boxes.

Both are pages of JSON. Of a runs folder: `detectors/<dataset>/<detector>-<key>.json` and, beside a run's record,
`boxed-<detector>-<key>.json`. Published, below `results`: `detectors-<dataset>-<split>-<8 digits>[-vN]/` with
`<detector>-<key>.detector.json`, and `<board>/<model>-<key>.boxed-<detector>-<key>.score.json`. They are by anyone:
everything that a table shows of them is checked here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError, field_validator

from fkbench.errors import FkbenchError
from fkbench.records.beside import RESULTS, is_published
from fkbench.records.detection_keys import FIRST_SCORING, boxed_stem, detector_key, detector_stem
from fkbench.records.files import MIB, read_bounded
from fkbench.records.models import Count, Key, Name, Open, OpenPart, Part, RunRecord, Text
from fkbench.records.plain import plain

LARGEST = 4 * MIB
DETECTOR, SCORE = ".detector.json", ".score.json"
Report = Callable[[str], None]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Size = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Ends = Annotated[list[Number], Field(min_length=2, max_length=2)]
_OWN_BOXED = re.compile(r"boxed-[A-Za-z0-9._-]{1,120}-[0-9a-f]{8}\.json")
_PUBLISHED_BOXED = re.compile(r"(boxed-[A-Za-z0-9._-]{1,120}-[0-9a-f]{8})\.score\.json")


class Spread(OpenPart):
    """Errors of corrected boxes, in shares of the square's side."""

    sd: dict[str, Size]


class Finding(OpenPart):
    """Boxes against labels, on one kind of pictures."""

    recall: Share | None
    recall_ci: Ends | None = None
    precision: Share | None = None
    precision_ci: Ends | None = None
    ap: Share | None = None
    extra_per_picture: Size | None = None
    cover: Share | None = None
    noise: Spread | None = None


class Pictures(OpenPart):
    """One kind of pictures: boxes corrected, and as the detector gave them."""

    main_recall: Share | None = None
    corrected: Finding
    raw: Finding


class Times(OpenPart):
    """Milliseconds."""

    p50: Size
    p90: Size | None = None


class DetectorTiming(OpenPart):
    """Of single pictures."""

    ms: Times
    quick: bool
    void: bool


class DetectorInfo(OpenPart):
    """The detector, with its settings as resolved, digests of its code and files, and versions of its packages."""

    name: Name
    settings: Open
    source: Text
    weights: Text
    versions: Open


class Correction(OpenPart):
    """How boxes were corrected onto the reference square; `provenance` is empty where nothing was fitted."""

    scale: Number
    dx: Number
    dy: Number
    provenance: Open

    @field_validator("provenance")
    @classmethod
    def _names_its_data(cls, provenance: Open) -> Open:
        if provenance and not all(isinstance(provenance.get(name), str) for name in ("dataset", "split")):
            raise ValueError("it names no dataset and split")
        return provenance


class DetectionData(OpenPart):
    """The pictures that were looked at."""

    name: Name
    split: Name
    split_version: int
    fingerprint: Name
    pictures: Count


class DetectorResult(OpenPart):
    """A page of `fkbench detect --dataset`.

    Attributes:
        most: test frames at most; 0: all.
        scoring: versions of what was done.
    """

    schema_version: Literal[1] = Field(alias="schema")
    kind: Literal["detector"]
    key: Key
    detector: DetectorInfo
    dataset: DetectionData
    correction: Correction
    most: Count = 0
    scoring: Annotated[list[Count], Field(max_length=16)] = Field(default_factory=lambda: [*FIRST_SCORING])
    clean: Pictures
    harder: dict[Name, Pictures]
    timing: DetectorTiming
    created: Text = ""


class BoxedData(OpenPart):
    """The test part that was scored. Where no version of the split is stated, the run's own is meant, or the first."""

    name: Name
    split: Name
    split_version: Count = 1
    fingerprint: Name
    images: Count


class BoxedScores(OpenPart):
    """Scores, with the names of a record's metrics; those of plugins may stand beside these."""

    rmse: Size
    rmse_ci: Ends | None = None
    missed_faces: Count


class BoxedTiming(OpenPart):
    """Detector and model together."""

    pictures_per_s: Size
    ms: Times
    detector_ms: Times
    quick: bool
    void: bool


class BoxSettings(OpenPart):
    """Of the detector, as resolved, and of the correction."""

    settings: Open = Field(default_factory=dict)


class BoxedResult(Part):
    """A page of `fkbench score RUN --box DETECTOR`."""

    subject: Key
    model: Name
    seed: Count
    protocol: Name | None = None
    overrides: Open = Field(default_factory=dict)
    trained_on: Name | None = None
    box_jitter: dict[str, Number] | None = None
    recorded_rmse: Number | None = None
    dataset: BoxedData
    box: Name
    box_settings: BoxSettings
    metrics: BoxedScores
    extra_rmse: Number | None = None
    extra_rmse_ci: Ends | None = None
    end_to_end: BoxedTiming | None = None


Result = TypeVar("Result", DetectorResult, BoxedResult)


def read_detection(path: Path, kind: type[Result]) -> dict[str, Any]:
    """The JSON values of such a page, checked; its key and the name of its file are held to what it says.

    Raises:
        FkbenchError: there is none, it is something else (the first key that is wrong is named), or its key or name is
            another one than its content gives.
    """
    try:
        page = plain(json.loads(read_bounded(path, LARGEST)))
        kind.model_validate(page)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(step)[:60] for step in first["loc"][:6])
        raise FkbenchError(
            f"'{path}' is no result of a detector: {where}: {first['msg']}.", "Score it again."
        ) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise FkbenchError(f"'{path}' is damaged: {' '.join(str(error).split())[:200]}.", "Score it again.") from error
    assert isinstance(page, dict)
    _check_key(path, page, kind)
    return page


def _check_key(path: Path, page: Mapping[str, Any], kind: type[Result]) -> None:
    if kind is DetectorResult:
        stem = detector_stem(page)
        holds = path.name in (f"{stem}.json", stem + DETECTOR) and page["key"] == detector_key(page)
    else:
        stem = boxed_stem(page)
        # Beside a published record its name begins with that one's, which the page does not state whole.
        holds = path.name == f"{stem}.json" or path.name.endswith(f".{stem}{SCORE}")
    if not holds:
        raise FkbenchError(f"'{path}' has another key than its content gives ({stem}).", "Score it again.")


def detector_files(root: Path) -> list[Path]:
    """Pages of detectors' scores of a runs folder or a published one, sorted."""
    base = root / RESULTS if (root / RESULTS).is_dir() else root
    found = [*(root / "detectors").glob("*/*.json"), *base.glob("detectors-*/*.detector.json")]
    return sorted(path for path in found if path.is_file())


def names_of(page: Mapping[str, Any]) -> tuple[str, str]:
    """By what a detector's result is named: `detector@dataset` and `detector@dataset/split`."""
    whole = f"{page['detector']['name']}@{page['dataset']['name']}"
    return whole, f"{whole}/{page['dataset']['split']}"


def boxed_files(record: RunRecord) -> Iterator[tuple[str, Path]]:
    """What a run has been scored on besides its own boxes: (`boxed-<detector>-<key>`, its file), sorted by name."""
    path = Path(record.path)
    if not is_published(record):
        for file in sorted(path.glob("boxed-*.json")):
            if _OWN_BOXED.fullmatch(file.name):
                yield file.stem, file
        return
    stem = path.name.removesuffix(".json")
    for file in sorted(path.parent.iterdir()) if path.parent.is_dir() else ():
        found = _PUBLISHED_BOXED.fullmatch(file.name.removeprefix(f"{stem}."))
        if found and file.name.startswith(f"{stem}."):
            yield found[1], file


def with_boxed(records: Iterable[RunRecord]) -> list[RunRecord]:
    """Those of some records that have such pages beside them. Each folder is looked at once."""
    found, known = [], dict[Path, set[str]]()
    for record in records:
        path = Path(record.path)
        if not is_published(record):
            found += [record] if any(boxed_files(record)) else []
            continue
        if path.parent not in known:
            names = (file.name for file in path.parent.glob("*.boxed-*.score.json"))
            known[path.parent] = {name.partition(".boxed-")[0] for name in names}
        if path.name.removesuffix(".json") in known[path.parent]:
            found.append(record)
    return found


def boxed_of(record: RunRecord, report: Report) -> list[dict[str, Any]]:
    """These pages, checked; one that cannot be read or is of another run or other data is reported and left out."""
    pages = []
    for _, file in boxed_files(record):
        try:
            page = read_detection(file, BoxedResult)
        except FkbenchError as error:
            report(str(error))
            continue
        same = (page["subject"], page["dataset"]["fingerprint"]) == (record.key, record.dataset.fingerprint)
        if same and page["model"] == record.model.name:
            pages.append(page)
        else:
            report(f"'{file}' is not of the run that it lies beside.")
    return pages


def detectors_of(root: Path, report: Report, dataset: str | None = None) -> list[dict[str, Any]]:
    """The pages of `detector_files`, of a dataset or all, checked; one that cannot be read is reported and left out."""
    pages = []
    for file in detector_files(root):
        try:
            pages.append(read_detection(file, DetectorResult))
        except FkbenchError as error:
            report(str(error))
    return [page for page in pages if dataset in (None, page["dataset"]["name"])]
