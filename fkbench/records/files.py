"""Writing whole files or none, and reading files of strangers within bounds."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import uuid
from collections.abc import Iterable
from pathlib import Path

from fkbench.errors import FkbenchError

MIB = 1 << 20
SCRATCH = ".tmp"


def scratch_for(path: Path) -> Path:
    """Where a file is written before it takes the name `path`: beside it, hidden, of this one writing alone.

    What a killed process leaves of it is known by its ending (see `is_scratch`).
    """
    return path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}{SCRATCH}")


def is_scratch(path: Path) -> bool:
    """Whether it is a file of `scratch_for`, or one of an older fkbench (`checkpoint.safetensors.4711.tmp`)."""
    return path.name.endswith(SCRATCH)


def write_atomic(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write beside the target, then rename: a reader sees the old file, the new one or none, never half of one.

    Args:
        path: the target; its folder is made.
        data: the whole content.
        durable: wait until the disk has it. Without that a crash of the machine, not of the program, may lose it:
            enough for what is made again from other files.

    Raises:
        FkbenchError: the disk is full or the folder cannot be written; nothing is left behind.
    """
    scratch = scratch_for(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(scratch, path)
    except OSError as error:
        raise FkbenchError(
            f"Cannot write '{path}': {error.strerror or error}.",
            "Free space there, or choose another folder.",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)


def read_bounded(path: Path, limit: int) -> bytes:
    """The file's content, if it is a plain file of at most `limit` bytes.

    Raises:
        FkbenchError: it is not there, cannot be read, or is larger.
    """
    try:
        if not path.is_file():
            raise FkbenchError(f"There is no file '{path}'.")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise FkbenchError(f"Cannot read '{path}': {error.strerror or error}.") from error
    if len(data) > limit:
        raise FkbenchError(f"'{path}' is larger than {limit // MIB} MiB, more than such a file can need.")
    return data


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stats_below(path: Path) -> list[os.stat_result]:
    """What `lstat` says of a file, or of a folder and all that is in it: others may write there.

    Whatever vanishes meanwhile is passed over; empty where all of it has.
    """
    found: list[os.stat_result] = []
    names = [path, *(Path(at) / name for at, folders, files in os.walk(path) for name in [*folders, *files])]
    for name in names:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            found.append(name.lstat())
    return found


def bytes_of(stats: Iterable[os.stat_result]) -> int:
    """Of the plain files among them, together."""
    return sum(found.st_size for found in stats if stat.S_ISREG(found.st_mode))
