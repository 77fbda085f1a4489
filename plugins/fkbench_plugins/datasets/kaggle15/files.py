"""Finding Kaggle's tables in what people have: its zip of zips, an unpacked folder, or single tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fkbench.datasets.archives import Source, inside, open_inner, open_source
from fkbench.errors import FkbenchError

TRAINING, TEST, LOOKUP = "training.csv", "test.csv", "IdLookupTable.csv"
_LIMIT = 1 << 30
_REMEDY = "Give facial-keypoints-detection.zip, its unpacked folder, or its training.csv."


@dataclass(frozen=True)
class Found:
    """A file's contents, and what to call it in messages."""

    data: bytes
    where: str


class Tables:
    """The tables of one source; each is read when asked for, so that only one is in memory at a time."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def training(self) -> Found:
        """The labelled table.

        Raises:
            FkbenchError: the source is something else.
        """
        found = self._find(TRAINING)
        if found is None:
            raise FkbenchError(f"'{self._source.label}' is not Kaggle's data: it has no {TRAINING}.", _REMEDY)
        return found

    def test(self) -> Found | None:
        """The table of unlabelled pictures, where there is one."""
        return self._find(TEST)

    def lookup(self) -> Found | None:
        """The list of values that the competition scores, where there is one."""
        return self._find(LOOKUP)

    def _find(self, name: str) -> Found | None:
        """The file itself, or the one inside the zip that carries its name."""
        folder = inside(self._source, name)
        if folder is not None:
            return Found(folder.read(name, _LIMIT), f"{self._source.label}/{name}")
        packed = Path(name).with_suffix(".zip").name
        folder = inside(self._source, packed)
        if folder is None:
            return None
        with open_inner(folder, packed, _LIMIT) as inner:
            root = inside(inner, name)
            if root is None:
                raise FkbenchError(f"'{packed}' in '{self._source.label}' has no {name}.", _REMEDY)
            return Found(root.read(name, _LIMIT), f"{self._source.label}/{packed}/{name}")


@contextmanager
def open_tables(path: Path) -> Iterator[Tables]:
    """The tables of a zip, a folder or a single `training.csv` (with `test.csv` beside it, if it is there).

    Raises:
        FkbenchError: the path is not there, or cannot be opened.
    """
    if path.is_file() and path.suffix.lower() == ".csv":
        yield Tables(_Loose(path))
        return
    with open_source(path) as source:
        yield Tables(source)


class _Loose:
    """One table, under whatever name, and the others beside it: nothing else of that folder is looked at."""

    def __init__(self, training: Path) -> None:
        self.label = str(training.parent)
        others = {name: training.with_name(name) for name in (TEST, LOOKUP)}
        self._files = {TRAINING: training, **{name: path for name, path in others.items() if path.is_file()}}
        self.names = sorted(self._files)

    def read(self, name: str, limit: int = _LIMIT) -> bytes:
        data = self.head(name, limit + 1)
        if len(data) > limit:
            raise FkbenchError(f"'{self._files[name]}' is larger than {limit >> 20} MiB.", _REMEDY)
        return data

    def head(self, name: str, count: int) -> bytes:
        path = self._files[name]
        try:
            with path.open("rb") as file:
                return file.read(count)
        except OSError as error:
            raise FkbenchError(f"'{path}' cannot be read: {error.strerror or error}.", "Check it.") from error
