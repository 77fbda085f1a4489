"""What merging leaves out of a published folder is said there, and its tables are made with it each time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fkbench.cli.main import main
from fkbench.errors import FkbenchError
from fkbench.publishing import merge, rebuild
from fkbench.publishing.conflicts import CONFLICTS, LONGEST, keep_left_out
from fkbench.records import RunStore


@pytest.fixture
def two(tmp_path):
    return RunStore(tmp_path / "a"), RunStore(tmp_path / "b")


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_a_conflict_leaves_out_is_named_on_its_board_whatever_the_order(two, put_in, tmp_path, capsys):
    a, b = two
    key = put_in(a, "net", 1.0).key
    put_in(b, "net", 2.0, key=key)
    put_in(b, "other", 1.0)
    for name, stores in (("ab", (a, b)), ("ba", (b, a))):
        assert main(["merge", *(str(store.root) for store in stores), "--out", str(tmp_path / name)]) == 1
        assert f"Results in conflict, left out: net@faces {key}, seed 0 (rmse " in capsys.readouterr().err
    assert content(tmp_path / "ab") == content(tmp_path / "ba")
    [board] = [json.loads(file.read_text()) for file in (tmp_path / "ab").glob("faces-*.json")]
    [note] = board["notes"]
    assert key in note
    for page in ("index.html", f"{board['board']}.md"):
        assert key in (tmp_path / "ab" / page).read_text()
    before = content(tmp_path / "ab")  # what was published since is there, and nothing is left out
    assert main(["merge", str(a.root), "--out", str(tmp_path / "ab")]) == 0
    assert main(["merge", str(a.root), str(b.root), "--out", str(tmp_path / "ab")]) == 1
    assert "left out: net@" not in capsys.readouterr().err
    assert before.keys() - {CONFLICTS} < content(tmp_path / "ab").keys()


def test_a_board_of_conflicts_alone_is_named_below_the_others(two, put_in, tmp_path, capsys):
    a, b = two
    key = put_in(a, "net", 1.0, box="own").key
    put_in(b, "net", 2.0, key=key, box="own")
    out = ["--out", str(tmp_path / "out")]
    assert main(["merge", str(a.root), str(b.root), *out]) == 1
    assert key in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    put_in(b, "other", 1.0)
    assert main(["merge", str(a.root), str(b.root), *out]) == 1
    assert key in (tmp_path / "out" / "index.md").read_text()


@pytest.fixture
def left_out(two, put_in, tmp_path):
    """A published folder without the two results in conflict, and their key."""
    a, b = two
    key = put_in(a, "net", 1.0).key
    put_in(b, "net", 2.0, key=key)
    put_in(b, "other", 1.0)
    assert main(["merge", str(a.root), str(b.root), "--out", str(tmp_path / "out")]) == 1
    return tmp_path / "out", key


def altered(folder, **values):
    """The file of conflicts with other values in its entry."""
    page = json.loads((folder / CONFLICTS).read_text())
    page["left_out"][0] |= values
    (folder / CONFLICTS).write_text(json.dumps(page))


def test_tables_that_are_made_again_say_it_too(left_out, two, tmp_path):
    out, _ = left_out
    made = content(out)
    rebuild(out)
    assert content(out) == made
    assert main(["--runs", str(out), "leaderboard", "--publish", str(out)]) == 0
    assert content(out) == made
    merge([two[0].root, two[1].root], out)
    assert content(out) == made


def test_a_result_of_the_key_that_is_published_later_ends_it(left_out, two):
    out, key = left_out
    assert main(["--runs", str(two[0].root), "leaderboard", "--publish", str(out)]) == 0
    assert not (out / CONFLICTS).exists()
    [board] = [json.loads(file.read_text()) for file in out.glob("faces-*.json")]
    assert board["notes"] == []
    assert key in (out / f"{board['board']}.json").read_text()


def test_one_from_another_device_does_not(left_out, two, put_in, tmp_path):
    out, key = left_out
    other = RunStore(tmp_path / "c")
    put_in(other, "net", 1.0, key=key, device={"type": "cpu", "name": "Other"})
    assert main(["merge", str(other.root), "--out", str(out)]) == 0
    assert "left out" in (out / CONFLICTS).read_text()


def test_text_in_it_is_shown_and_does_nothing(left_out):
    out, _ = left_out
    altered(out, note="<script>alert(1)</script>\u202e[x](y)")
    rebuild(out)
    [page] = out.glob("faces-*.md")
    for text in (page.read_text(), (out / "index.html").read_text()):
        assert "&lt;script&gt;alert(1)" in text
        assert "<script>alert" not in text
        assert "\u202e" not in text


@pytest.mark.parametrize(
    "values",
    [{"board": "../../x"}, {"key": "*"}, {"note": "x" * (LONGEST + 1)}, {"note": 3}, {"more": 1}],
)
def test_a_file_that_is_none_is_an_error_before_anything_is_added(left_out, put_in, tmp_path, values):
    out, _ = left_out
    altered(out, **values)
    before = content(out)
    third = RunStore(tmp_path / "c")
    put_in(third, "third", 1.0)
    for use in (lambda: rebuild(out), lambda: merge([third.root], out), lambda: keep_left_out(out)):
        with pytest.raises(FkbenchError, match=CONFLICTS):
            use()
    assert content(out) == before


def test_tables_made_elsewhere_from_the_folder_say_it_too(left_out, tmp_path, capsys):
    folder, key = left_out
    before = content(folder)
    words = ["--data", str(tmp_path / "data"), "--runs", str(folder), "leaderboard"]
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    [board] = json.loads(capsys.readouterr().out)["boards"]
    assert any(key in note for note in board["notes"])
    assert main(words) == 0
    assert key in "".join(capsys.readouterr().out.split())
    assert main([*words, "--out", str(tmp_path / "page")]) == 0
    assert key in (tmp_path / "page" / "index.html").read_text()
    assert content(folder) == before
