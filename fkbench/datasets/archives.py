"""Reading what people bring: a folder, a zip, or zips in a zip. All of it is hostile until checked.

Nothing is unpacked to the disk; files are read into memory under bounds that do not rely on what headers claim.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Protocol

from fkbench.errors import FkbenchError

MAX_ENTRIES = 200_000
MAX_TOTAL = 16 * 2**30
"""Bytes that all entries may unpack to; the largest known set of this kind is under 1 GB."""
MAX_FILE = 2 * 2**30
"""Bytes that one file may have."""
MAX_RATIO = 200
"""Unpacked to packed size of an entry above 1 MiB; pictures and tables of numbers stay under 20."""
_SMALL = 2**20


class Source(Protocol):
    """Files by relative name (`training/a.jpg`), wherever they lie.

    Attributes:
        label: the folder or zip, as given, for messages.
        names: all files, sorted.
    """

    label: str
    names: list[str]

    def read(self, name: str, limit: int = MAX_FILE) -> bytes:
        """The whole file.

        Raises:
            FkbenchError: damaged, unreadable, or larger than `limit`.
        """
        ...

    def head(self, name: str, count: int) -> bytes:
        """The first `count` bytes of a file, or all if there are fewer."""
        ...


class FolderSource:
    """Files below a folder; links that lead out of it are refused when they are read."""

    def __init__(self, root: Path) -> None:
        self.label = str(root)
        self._root = root.resolve()
        self.names = sorted(p.relative_to(self._root).as_posix() for p in self._root.rglob("*") if p.is_file())

    def read(self, name: str, limit: int = MAX_FILE) -> bytes:
        return _bounded(self.head(name, limit + 1), limit, self.label, name)

    def head(self, name: str, count: int) -> bytes:
        path = (self._root / name).resolve()
        if not path.is_relative_to(self._root):
            raise FkbenchError(
                f"'{name}' in '{self.label}' is a link to a file outside.", "Replace it by the file itself."
            )
        try:
            with path.open("rb") as file:
                return file.read(count)
        except OSError as error:
            raise FkbenchError(
                f"'{name}' in '{self.label}' cannot be read: {error.strerror or error}.", "Check its permissions."
            ) from error


class ZipSource:
    """Files in a zip whose table of contents has been checked."""

    def __init__(self, archive: zipfile.ZipFile, label: str) -> None:
        self.label = label
        self._archive = archive
        entries = [info for info in archive.infolist() if not info.is_dir()]
        _check_entries(entries, label)
        self._entries = {info.filename: info for info in entries}
        self.names = sorted(self._entries)

    def read(self, name: str, limit: int = MAX_FILE) -> bytes:
        return _bounded(self.head(name, limit + 1), limit, self.label, name)

    def head(self, name: str, count: int) -> bytes:
        try:
            with self._archive.open(self._entries[name]) as file:
                return file.read(count)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
            raise FkbenchError(
                f"'{name}' in '{self.label}' is damaged: {str(error).rstrip('.') or type(error).__name__}.",
                "Download the archive again.",
            ) from error


class SubSource:
    """The files of a source below one of its folders."""

    def __init__(self, source: Source, folder: str) -> None:
        self.label = source.label
        self._source, self._prefix = source, f"{folder}/" if folder else ""
        self.names = [n[len(self._prefix) :] for n in source.names if n.startswith(self._prefix)]

    def read(self, name: str, limit: int = MAX_FILE) -> bytes:
        return self._source.read(self._prefix + name, limit)

    def head(self, name: str, count: int) -> bytes:
        return self._source.head(self._prefix + name, count)


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a folder or a zip.

    Raises:
        FkbenchError: it is not there, is neither, is damaged, or its contents are not acceptable.
    """
    if path.is_dir():
        yield FolderSource(path)
        return
    if not path.exists():
        raise FkbenchError(f"There is no file or folder '{path}'.", "Check the path given with --from.")
    archive = _open_zip(path, str(path))
    with archive:
        yield ZipSource(archive, str(path))


@contextmanager
def open_inner(source: Source, name: str, limit: int = MAX_FILE) -> Iterator[Source]:
    """Open a zip that is a file of `source`. One level only: what it holds is data, not further archives."""
    label = f"{source.label}/{name}"
    archive = _open_zip(io.BytesIO(source.read(name, limit)), label)
    with archive:
        yield ZipSource(archive, label)


def inside(source: Source, wanted: str) -> SubSource | None:
    """The folder of `source` that holds the file `wanted`, the outermost if there are several; None if none does.

    Archives are often packed with a folder around them, and macOS adds a shadow of every file.
    """
    found = [
        PurePosixPath(name).parent for name in source.names
        if PurePosixPath(name).name == wanted and not name.startswith("__MACOSX/")
    ]  # fmt: skip
    if not found:
        return None
    nearest = min(found, key=lambda folder: (len(folder.parts), str(folder)))
    return SubSource(source, "" if str(nearest) == "." else str(nearest))


def _open_zip(file: Path | io.BytesIO, label: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except zipfile.BadZipFile as error:
        raise FkbenchError(
            f"'{label}' is not a zip file, or is cut short: {str(error).rstrip('.')}.",
            "Compare its size with the original and download it again, or give the unpacked folder.",
        ) from error
    except OSError as error:
        raise FkbenchError(f"'{label}' cannot be read: {error.strerror or error}.", "Check its permissions.") from error


def _check_entries(entries: list[zipfile.ZipInfo], label: str) -> None:
    if len(entries) > MAX_ENTRIES:
        raise FkbenchError(f"'{label}' has {len(entries)} entries, more than any dataset here.", _REFUSED)
    seen: set[str] = set()
    for info in entries:
        _check_entry(info, label)
        if info.filename in seen:
            raise FkbenchError(f"'{label}' has two entries called '{info.filename}'.", _REFUSED)
        seen.add(info.filename)
    total = sum(info.file_size for info in entries)
    if total > MAX_TOTAL:
        raise FkbenchError(f"'{label}' would unpack to {total / 2**30:.0f} GiB.", _REFUSED)


_REFUSED = "It was not read. Get the archive from its official source."


def _check_entry(info: zipfile.ZipInfo, label: str) -> None:
    name = info.filename
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if name.startswith(("/", "\\")) or ".." in parts or (parts and parts[0].endswith(":")) or "\0" in name:
        raise FkbenchError(f"'{label}' has an entry that would leave its folder: '{name}'.", _REFUSED)
    if stat.S_ISLNK(info.external_attr >> 16):
        raise FkbenchError(f"'{label}' has a link among its entries: '{name}'.", _REFUSED)
    if info.flag_bits & 0x1:
        raise FkbenchError(f"'{name}' in '{label}' is encrypted.", "Unpack it with its password and give the folder.")
    if info.file_size > MAX_FILE:
        raise FkbenchError(f"'{name}' in '{label}' would unpack to {info.file_size / 2**30:.0f} GiB.", _REFUSED)
    if info.file_size > _SMALL and info.file_size > MAX_RATIO * max(info.compress_size, 1):
        ratio = info.file_size // max(info.compress_size, 1)
        raise FkbenchError(f"'{name}' in '{label}' would unpack to {ratio} times its size.", _REFUSED)


def _bounded(data: bytes, limit: int, label: str, name: str) -> bytes:
    if len(data) > limit:
        raise FkbenchError(f"'{name}' in '{label}' is larger than {limit // 2**20} MiB.", _REFUSED)
    return data
