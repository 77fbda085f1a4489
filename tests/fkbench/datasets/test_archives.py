"""Archives from strangers: nothing leaves its folder, nothing unpacks without bound, damage is named."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest

from fkbench.datasets import archives
from fkbench.datasets.archives import FolderSource, inside, open_inner, open_source
from fkbench.errors import FkbenchError


def write_zip(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_a_zip_and_its_unpacked_folder_read_alike(tmp_path):
    files = {"training/a.jpg": b"one", "table.csv": b"two\n"}
    path = write_zip(tmp_path / "set.zip", files)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "set")
    with open_source(path) as packed, open_source(tmp_path / "set") as folder:
        assert packed.names == folder.names == sorted(files)
        for name, data in files.items():
            assert packed.read(name) == folder.read(name) == data
            assert packed.head(name, 2) == folder.head(name, 2) == data[:2]


@pytest.mark.parametrize("name", ["../evil.csv", "a/../../evil.csv", "/etc/evil", "C:/evil", "..\\evil.csv", "\\evil"])
def test_entries_that_leave_the_folder_are_refused(tmp_path, name):
    path = write_zip(tmp_path / "slip.zip", {"fine.csv": b"1", name: b"2"})
    with pytest.raises(FkbenchError, match="would leave its folder") as caught, open_source(path):
        pass
    assert str(path) in caught.value.message


def test_links_in_a_zip_are_refused(tmp_path):
    path = tmp_path / "link.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("training.csv")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(FkbenchError, match=r"a link among its entries: 'training.csv'"), open_source(path):
        pass


def test_links_out_of_a_folder_are_refused(tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "training.csv").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(FkbenchError, match="link to a file outside"):
        FolderSource(folder).read("training.csv")


def test_an_entry_that_unpacks_to_many_times_its_size_is_refused(tmp_path):
    path = write_zip(tmp_path / "bomb.zip", {"training.csv": bytes(20 * 2**20)})
    with pytest.raises(FkbenchError, match=r"'training.csv' in .* would unpack to .* times"), open_source(path):
        pass


def test_the_sum_of_all_entries_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_TOTAL", 5 * 2**10)
    noise = np.random.default_rng(0).bytes(2**10)
    path = write_zip(tmp_path / "many.zip", {f"{i}.bin": noise for i in range(6)})
    with pytest.raises(FkbenchError, match="would unpack to"), open_source(path):
        pass


def test_the_number_of_entries_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_ENTRIES", 3)
    path = write_zip(tmp_path / "many.zip", {f"{i}": b"" for i in range(4)})
    with pytest.raises(FkbenchError, match="has 4 entries"), open_source(path):
        pass


def test_a_size_that_the_header_hides_is_not_believed(tmp_path):
    """The table of contents says 100 bytes, the data unpack to 1 MB: only 100 are unpacked, and it is damage."""
    path = write_zip(tmp_path / "lie.zip", {"training.csv": bytes(range(256)) * 4096})
    raw = bytearray(path.read_bytes())
    real = (256 * 4096).to_bytes(4, "little")
    assert raw.count(real) == 2  # local header and table of contents
    path.write_bytes(raw.replace(real, (100).to_bytes(4, "little")))
    with open_source(path) as source, pytest.raises(FkbenchError, match=r"'training.csv' in .*lie.zip' is damaged"):
        source.read("training.csv")


def test_reading_stops_at_the_limit(tmp_path):
    path = write_zip(tmp_path / "set.zip", {"a": b"x" * 100})
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_bytes(b"x" * 100)
    for place in (path, tmp_path / "folder"):
        with open_source(place) as source:
            assert len(source.read("a", 100)) == 100
            with pytest.raises(FkbenchError, match="larger than"):
                source.read("a", 99)


def test_a_truncated_zip_is_named(tmp_path):
    path = write_zip(tmp_path / "short.zip", {"a": b"x" * 1000})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(FkbenchError, match=r"short.zip' is not a zip file") as caught, open_source(path):
        pass
    assert "download it again" in caught.value.remedy


def test_a_flipped_byte_is_damage(tmp_path):
    path = write_zip(tmp_path / "flip.zip", {"a": b"x" * 1000}, zipfile.ZIP_STORED)
    raw = bytearray(path.read_bytes())
    raw[500] ^= 1
    path.write_bytes(raw)
    with open_source(path) as source, pytest.raises(FkbenchError, match=r"'a' in .* is damaged"):
        source.read("a")


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(FkbenchError, match="no file or folder"), open_source(tmp_path / "none.zip"):
        pass


def test_encrypted_entries_are_named(tmp_path):
    path = write_zip(tmp_path / "locked.zip", {"a": b"x"})
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    with pytest.raises(FkbenchError, match=r"'a' in .* is encrypted"), open_source(path):
        pass


def test_inner_zips_are_opened_under_the_same_rules(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("../evil", b"x")
    path = write_zip(tmp_path / "outer.zip", {"training.zip": inner.getvalue(), "broken.zip": b"PK nothing"})
    with open_source(path) as source:
        with pytest.raises(FkbenchError, match=r"outer.zip/training.zip' has an entry that would leave"):
            open_inner(source, "training.zip").__enter__()
        with pytest.raises(FkbenchError, match=r"outer.zip/broken.zip' is not a zip"):
            open_inner(source, "broken.zip").__enter__()
        with pytest.raises(FkbenchError, match="larger than"):
            open_inner(source, "training.zip", 10).__enter__()


def test_the_outermost_folder_with_the_wanted_file_is_found(tmp_path):
    files = {"__MACOSX/set/t.csv": b"0", "set/t.csv": b"1", "set/old/t.csv": b"2", "set/a/b.jpg": b"3"}
    with open_source(write_zip(tmp_path / "set.zip", files)) as source:
        found = inside(source, "t.csv")
        assert found is not None
        assert found.read("t.csv") == b"1"
        assert found.names == ["a/b.jpg", "old/t.csv", "t.csv"]
        assert inside(source, "u.csv") is None
