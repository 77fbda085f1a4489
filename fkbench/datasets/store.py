"""The data folder: imported datasets as packs of plain arrays, caches beside them. No pickle anywhere."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fkbench.datasets.layout import PACK_FILE
from fkbench.datasets.replacing import current, replace_folder, state
from fkbench.datasets.samples import Array, ByteArray, FloatArray, Frames, IntArray
from fkbench.errors import DataMissingError, FkbenchError

PACK_VERSION = 1
TRIES = 20
"""Readings of one pack, each disturbed by another replacement, before it is given up."""


@dataclass(frozen=True)
class Pack:
    """A folder of arrays and a JSON page about them.

    Attributes:
        meta: the JSON page.
        arrays: name → array, memory-mapped and read-only.
        folder: where it lies.
    """

    meta: dict[str, Any]
    arrays: dict[str, Array]
    folder: Path

    def frames(self, prefix: str = "frames") -> Frames:
        """The frames that `frame_arrays(frames, prefix)` were written from."""
        buffer: ByteArray = self.arrays[f"{prefix}_buffer"]  # type: ignore[assignment]
        offsets = self.arrays[f"{prefix}_offsets"].astype(np.int64)
        return Frames(buffer, offsets, self.arrays[f"{prefix}_shapes"].astype(np.int64))


def frame_arrays(frames: Frames, prefix: str = "frames") -> dict[str, Array]:
    """Frames as arrays for a pack."""
    return {f"{prefix}_buffer": frames.buffer, f"{prefix}_offsets": frames.offsets, f"{prefix}_shapes": frames.shapes}


def sample_arrays(frames: Frames, unlabelled: Frames, points: FloatArray, duplicates: IntArray) -> dict[str, Array]:
    """Arrays of an imported set for a pack: N labelled and any number of unlabelled frames, points (N, K, 2) px, and
    pairs (M, 2) of near-duplicates by their rows."""
    arrays = frame_arrays(frames) | frame_arrays(unlabelled, "unlabelled")
    return {**arrays, "points": points, "duplicates": duplicates}


@dataclass(frozen=True)
class Store:
    """Root of the data folder (`--data`, `FKBENCH_DATA`, or the platform's user data folder)."""

    root: Path

    def folder(self, name: str) -> Path:
        return self.root / name

    def has(self, name: str) -> bool:
        """Whether a pack of this name is there (its JSON page is written last); also while it is being replaced."""
        return current(self.folder(name), PACK_FILE) is not None

    def write(self, name: str, meta: Mapping[str, Any], arrays: Mapping[str, Array]) -> Pack:
        """Write a pack, whole or not at all; one that is there is replaced. To be called under `lock(name)`.

        Others may read meanwhile: they get the old pack or the new one.

        Raises:
            FkbenchError: the disk is full or the folder cannot be written.
        """
        target = self.folder(name)
        scratch = target.with_name(f".{target.name}-{uuid.uuid4().hex[:8]}")
        try:
            scratch.mkdir(parents=True)
            for key, array in arrays.items():
                np.save(scratch / f"{key}.npy", array, allow_pickle=False)
            page = json.dumps({"pack": PACK_VERSION, **meta}, indent=1, sort_keys=True)
            (scratch / PACK_FILE).write_text(page, encoding="utf-8")
            replace_folder(scratch, target)
        except OSError as error:
            raise _cannot_write(self.root, error) from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return self.read(name)

    def read(self, name: str) -> Pack:
        """Open a pack. Needs no lock: what is replaced meanwhile is read again.

        Raises:
            DataMissingError: there is none.
            FkbenchError: it is damaged or of another version.
        """
        for _ in range(TRIES):
            folder = current(self.folder(name), PACK_FILE)
            if folder is None:
                raise DataMissingError(f"'{name}' is not in the data folder '{self.root}'.")
            before, damage = state(folder), None
            try:
                pack = _open(folder)
            except (OSError, ValueError) as error:
                damage = error
            if state(folder) != before or current(self.folder(name), PACK_FILE) != folder:
                continue
            if damage is None:
                return pack
            raise FkbenchError(
                f"The imported data in '{folder}' is damaged: {damage}.",
                f"Delete that folder and import '{name}' again.",
            ) from damage
        raise FkbenchError(f"'{name}' is being replaced in '{self.root}' all the time.", "Try again later.")

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """A lock between processes for making one pack or cache. Nobody may take it twice: that waits for ever.

        Raises:
            FkbenchError: the folder cannot be written.
        """
        from filelock import FileLock

        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock = FileLock(str(self.root / f".{name.replace('/', '-')}.lock"))
            lock.acquire()
        except OSError as error:
            raise _cannot_write(self.root, error) from error
        try:
            yield
        finally:
            lock.release()


def _open(folder: Path) -> Pack:
    meta = json.loads((folder / PACK_FILE).read_text(encoding="utf-8"))
    if meta.get("pack") != PACK_VERSION:
        raise ValueError(f"pack version {meta.get('pack')}, this fkbench reads {PACK_VERSION}")
    arrays = {file.stem: np.load(file, mmap_mode="r", allow_pickle=False) for file in sorted(folder.glob("*.npy"))}
    return Pack(meta, arrays, folder)


def _cannot_write(root: Path, error: OSError) -> FkbenchError:
    return FkbenchError(
        f"Cannot write data to '{root}': {error.strerror or error}.",
        "Free space there, or choose another folder with --data or FKBENCH_DATA.",
    )
