"""The data folder: imported datasets as packs of plain arrays, caches beside them. No pickle anywhere."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fkbench.datasets.layout import PACK_FILE, has_pack
from fkbench.datasets.samples import Array, ByteArray, Frames
from fkbench.errors import DataMissingError, FkbenchError

PACK_VERSION = 1


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


@dataclass(frozen=True)
class Store:
    """Root of the data folder (`--data`, `FKBENCH_DATA`, or the platform's user data folder)."""

    root: Path

    def folder(self, name: str) -> Path:
        return self.root / name

    def has(self, name: str) -> bool:
        """Whether a pack of this name is there (its JSON page is written last)."""
        return has_pack(self.root, name)

    def write(self, name: str, meta: Mapping[str, Any], arrays: Mapping[str, Array]) -> Pack:
        """Write a pack, whole or not at all; one that is there is replaced.

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
            _replace(scratch, target)
        except OSError as error:
            raise _cannot_write(self.root, error) from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return self.read(name)

    def read(self, name: str) -> Pack:
        """Open a pack.

        Raises:
            DataMissingError: there is none.
            FkbenchError: it is damaged or of another version.
        """
        folder = self.folder(name)
        if not self.has(name):
            raise DataMissingError(f"'{name}' is not in the data folder '{self.root}'.")
        try:
            meta = json.loads((folder / PACK_FILE).read_text(encoding="utf-8"))
            if meta.get("pack") != PACK_VERSION:
                raise ValueError(f"pack version {meta.get('pack')}, this fkbench reads {PACK_VERSION}")
            arrays = {f.stem: np.load(f, mmap_mode="r", allow_pickle=False) for f in sorted(folder.glob("*.npy"))}
        except (OSError, ValueError) as error:
            raise FkbenchError(
                f"The imported data in '{folder}' is damaged: {error}.",
                f"Delete that folder and import '{name}' again.",
            ) from error
        return Pack(meta, arrays, folder)

    def lock(self, name: str) -> AbstractContextManager[Any]:
        """A lock between processes for making one pack or cache."""
        from filelock import FileLock

        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _cannot_write(self.root, error) from error
        return FileLock(str(self.root / f".{name.replace('/', '-')}.lock"))


def _cannot_write(root: Path, error: OSError) -> FkbenchError:
    return FkbenchError(
        f"Cannot write data to '{root}': {error.strerror or error}.",
        "Free space there, or choose another folder with --data or FKBENCH_DATA.",
    )


def _replace(scratch: Path, target: Path) -> None:
    """Put `scratch` in the place of `target`; a rename, so that a reader never sees half a pack."""
    if target.exists():
        aside = target.with_name(f".{target.name}-old-{uuid.uuid4().hex[:8]}")
        os.rename(target, aside)
        os.rename(scratch, target)
        shutil.rmtree(aside, ignore_errors=True)
    else:
        os.rename(scratch, target)
