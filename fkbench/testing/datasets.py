"""Checks of datasets: what they load, and whether it means what the harness takes it for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fkbench.datasets.access import open_samples
from fkbench.datasets.samples import FloatArray, Samples
from fkbench.datasets.store import Store
from fkbench.errors import DataMissingError
from fkbench.schemes import Scheme, scheme_of
from fkbench.specs import DatasetSpec
from fkbench.testing.declared import scheme_fault
from fkbench.testing.findings import Check, NotApplicable, Problem

MOST_PICTURES = 500
"""Pictures that are looked at; points and splits are always checked whole."""
MOST_REMADE = 20_000
"""Pictures that are read and packed a second time to see whether the same comes of it."""
INSIDE = 0.95
"""Least share of the labelled points that must lie in their picture: some faces are cut off at its border."""


@dataclass(frozen=True)
class DatasetSubject:
    """A dataset and where its data lies.

    Attributes:
        store: the data folder; None: an empty one that is gone after the checks, for data that the plugin makes.
        settings: values that differ from the defaults.
    """

    spec: DatasetSpec
    store: Store | None
    settings: Mapping[str, Any]

    @property
    def scheme(self) -> Scheme:
        return scheme_of(self.spec)

    @cached_property
    def _scratch(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(prefix="fkbench-check-")

    def load(self, store: Store) -> Samples:
        """The samples, loaded from this data folder.

        Raises:
            NotApplicable: the data is not on this machine.
        """
        try:
            return open_samples(self.spec, store, self.settings)
        except DataMissingError as error:
            raise NotApplicable(f"{error.message} {error.remedy}".strip()) from error

    @cached_property
    def _own(self) -> Store:
        return self.store or Store(Path(self._scratch.name))

    @cached_property
    def samples(self) -> Samples:
        return self.load(self._own)

    @contextmanager
    def again(self) -> Iterator[Samples]:
        """The samples from a data folder in which nothing is but what the dataset requires: all else is made anew.

        What `load` makes of very many pictures is read again and not made again, since that may take long.
        """
        with tempfile.TemporaryDirectory(prefix="fkbench-check-") as folder:
            for name in self.spec.requires:
                place = Path(folder, name)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(self._own.folder(name).resolve(), target_is_directory=True)
            many = self.spec.makes and len(self.samples) > MOST_REMADE
            try:
                found = self.load(self._own if many else Store(Path(folder)))
            except NotApplicable as error:
                raise Problem(
                    f"It loads from this data folder, and not from one that holds only what it requires: {error}",
                    'Name the imports that must be there: requires=("…",).',
                ) from error
            yield found

    @property
    def looked_at(self) -> npt.NDArray[np.int64]:
        """Indices of the pictures that are looked at, spread over the whole set."""
        count = len(self.samples)
        return np.unique(np.linspace(0, count - 1, min(count, MOST_PICTURES)).astype(np.int64))


def loads(subject: DatasetSubject) -> str:
    samples = subject.samples
    if not len(samples):
        raise Problem("It holds no labelled picture.", "Look at the path, and at what load() leaves out.")
    if not all(isinstance(name, str) and name for name in (*samples.ids, *samples.group)):
        raise Problem("Ids and groups must be texts that are not empty.", "For example str(index).")
    return f"{len(samples)} labelled pictures of {samples.points.shape[1]} points."


def pictures(subject: DatasetSubject) -> str:
    samples = subject.samples
    frames, shapes = samples.frames, samples.frames.shapes
    if frames.buffer.dtype != np.uint8:
        raise Problem(f"Pictures are {frames.buffer.dtype}, not uint8.", "Values go from 0 to 255.")
    if (shapes < 1).any() or (frames.offsets + shapes.prod(axis=1) > len(frames.buffer)).any():
        raise Problem(
            "A picture has no pixels, or lies beyond the buffer.", "Frames.stack and Frames.pack do it right."
        )
    wrong = np.flatnonzero(shapes[:, 2] != subject.spec.channels)
    if len(wrong):
        raise Problem(
            f"The picture '{samples.ids[wrong[0]]}' has {shapes[wrong[0], 2]} channels, not {subject.spec.channels}.",
            "State channels=1 (grey) or 3 (colour), and give all pictures so many.",
        )
    flat = [int(i) for i in subject.looked_at if np.ptp(frames[int(i)]) == 0]
    if len(flat) > 0.05 * len(subject.looked_at):
        raise Problem(
            f"{len(flat)} of {len(subject.looked_at)} pictures show one flat colour, '{samples.ids[flat[0]]}' for one.",
            "Values of 0…1 turned into uint8 become black: multiply by 255 first.",
        )
    sides = np.unique(shapes[:, :2])
    return f"Pictures of {sides.min()} to {sides.max()} pixels, {subject.spec.channels} channels."


def points(subject: DatasetSubject) -> str:
    samples = subject.samples
    found, valid = samples.points, samples.valid
    if found.dtype != np.float32:
        raise Problem(f"Points are {found.dtype}, not float32.", "points.astype(np.float32)")
    known = found[valid]
    if not len(known):
        raise NotApplicable("no point is labelled, see 'masks'")
    size = samples.frames.shapes[:, [1, 0]].astype(np.float64)[:, None]
    if known.min() >= 0 and known.max() <= 1 and size.min() > 8:
        raise Problem(
            "All coordinates lie between 0 and 1.", "Points are in pixels of their picture: multiply by its size."
        )
    beyond = np.where(valid[..., None], np.maximum(-0.5 - found, found - (size - 0.5)) / size, -1.0).max(axis=2)
    inside = 1 - (beyond > 0).sum() / valid.sum()
    far = np.unravel_index(int(beyond.argmax()), beyond.shape)
    if inside < INSIDE or beyond[far] > 1:
        name = subject.scheme.points[far[1]]
        raise Problem(
            f"Only {inside:.1%} of the points lie in their picture; '{name}' of '{samples.ids[far[0]]}' is at "
            f"{_at(found[far])} in {_by(size[far[0], 0])} pixels.",
            "x goes first, then y, in pixels of the very picture that is given (resized ones have other points).",
        )
    return f"{inside:.1%} of the points lie in their picture."


def _at(point: FloatArray) -> str:
    return f"({point[0]:.1f}, {point[1]:.1f})"


def _by(size: npt.NDArray[np.float64]) -> str:
    return f"{size[0]:.0f}×{size[1]:.0f}"


def masks(subject: DatasetSubject) -> str:
    samples = subject.samples
    if np.isinf(samples.points).any():
        raise Problem("A coordinate is infinite.", "What is missing is NaN.")
    known = np.isfinite(samples.points)
    half = np.flatnonzero((known[..., 0] != known[..., 1]).any(axis=1))
    if len(half):
        raise Problem(
            f"'{samples.ids[half[0]]}' has a point of which one coordinate alone is missing.",
            "A point is labelled or not: make both NaN.",
        )
    never = np.flatnonzero(~samples.valid.any(axis=0))
    if len(never):
        raise Problem(
            f"The point '{subject.scheme.points[never[0]]}' is labelled in no picture.",
            "Use a landmark scheme of the points that there are.",
        )
    empty = np.flatnonzero(~samples.valid.any(axis=1))
    if len(empty):
        raise Problem(
            f"{len(empty)} pictures have no labelled point, '{samples.ids[empty[0]]}' for one.",
            "Leave them out, or give them as Samples.unlabelled.",
        )
    share = 1 - samples.valid.mean()
    return f"{share:.1%} of the points are missing." if share else "No point is missing."


def flip(subject: DatasetSubject) -> str:
    scheme, samples = subject.scheme, subject.samples
    fault = scheme_fault(scheme)
    if fault:
        raise Problem(f"The landmark scheme '{scheme.name}': {fault[0]}", fault[1])
    if not scheme.flip_pairs:
        return "The scheme has no flip pairs: mirroring changes no name."
    whole = samples.points[samples.valid.all(axis=1)].astype(np.float64)
    if not len(whole):
        return "Mirrored twice, every point comes back."
    centred = whole - whole.mean(axis=1, keepdims=True)
    mean = (centred / np.abs(centred).max(axis=(1, 2), keepdims=True).clip(1e-9)).mean(axis=0)
    mirrored = mean * [-1, 1]
    kept, swapped = (np.abs(shape - mean).sum() for shape in (mirrored, mirrored[scheme.flip_order()]))
    if swapped > kept:
        raise Problem(
            "Mirrored by its flip pairs, the mean face is less like itself than without.",
            "Compare the order of the points in the data with the scheme: `fkbench show SCHEME --picture order.png`.",
        )
    return "Mirrored twice, every point comes back; the mean face is like its mirror image."


def fingerprint(subject: DatasetSubject) -> str:
    first = subject.samples
    digits = first.fingerprint.removeprefix("sha256:")
    if digits == first.fingerprint or len(digits) != 64 or set(digits) - set("0123456789abcdef"):
        raise Problem(
            f"The fingerprint is '{first.fingerprint[:40]}'.",
            "fkbench.datasets.fingerprints.fingerprint(scheme, ids, frames, points) makes it.",
        )
    with subject.again() as second:
        differs = _differences(first, second, subject.looked_at)
    if differs:
        raise Problem(
            f"Made anew in an empty data folder, it gives other {', '.join(differs)}.",
            "The same settings must give the same data: sort what a folder lists, seed what is drawn.",
        )
    return f"Made anew in an empty data folder, it is the same: {first.fingerprint[:19]}…"


def _differences(first: Samples, second: Samples, looked_at: npt.NDArray[np.int64]) -> list[str]:
    """What two loadings of one dataset do not share; pictures are compared where all else is the same."""
    texts = ("ids", "group", "clip", "published", "convention", "fingerprint")
    differs = [name for name in texts if getattr(first, name) != getattr(second, name)]
    if not np.array_equal(first.points, second.points, equal_nan=True):
        differs.append("points")
    if not differs and any(not np.array_equal(first.frames[int(i)], second.frames[int(i)]) for i in looked_at):
        differs.append("pictures")
    return differs


CHECKS = (
    Check("loads", "it loads, and keeps its promises of shapes and unique ids", loads),
    Check("pictures", "pictures are uint8 of the stated channels, and not flat", pictures),
    Check("points", "coordinates are pixels of their picture", points),
    Check("masks", "missing points are marked, and every picture and point has a label", masks),
    Check("flip", "mirroring twice changes nothing, and mirrored faces look like faces", flip),
    Check("fingerprint", "the same data has the same fingerprint", fingerprint),
)
