"""A published folder that is made again: what does not hold is shown as failed, what cannot be read is named."""

from __future__ import annotations

import json
import shutil

import pytest

from fkbench.errors import FkbenchError
from fkbench.publishing import Scrubber, form, publish, rebuild
from fkbench.records import RECORD_FILE, ResultStore
from fkbench.records.trust import FAILED
from fkbench.site.leaderboards import damage_notes

BOARD = "faces-honest-fair-v1-whole-01234567"


@pytest.fixture
def published(store, put, tmp_path):
    """`good` before `bad`, three seeds each, and a failed run."""
    for seed in range(3):
        put("good", 1.0, seed)
        put("bad", 2.0, seed)
    put("broken", status="failed", reason="out of memory", metrics={}, timing=None)
    publish(store.records(), tmp_path / "lb", Scrubber())
    rebuild(tmp_path / "lb")
    return tmp_path / "lb"


def files_of(published, model, ending):
    return sorted(file for file in (published / "results" / BOARD).glob(f"{model}-*{ending}") if _is(file, ending))


def _is(file, ending):
    return ending != ".json" or file.name.count(".") == 1


def no_predictions(published):
    files_of(published, "good", ".predictions.safetensors")[0].unlink()


def swapped_predictions(published):
    first, second, _ = files_of(published, "good", ".predictions.safetensors")
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)


def no_errors(published):
    files_of(published, "good", ".errors.safetensors")[0].unlink()


def no_history(published):
    files_of(published, "good", ".history.csv")[0].unlink()


def other_score(published):
    file = files_of(published, "good", ".json")[0]
    page = json.loads(file.read_text())
    page["metrics"]["mae"] /= 2
    file.write_text(json.dumps(page))


def texts(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (no_predictions, "its predictions.safetensors is listed, and there is no file 'good-"),
        (swapped_predictions, "its predictions.safetensors is not the file that the record lists"),
        (no_errors, "its errors.safetensors is listed, and there is no file 'good-"),
        (no_history, "its history.csv is listed, and there is no file 'good-"),
    ],
)
def test_a_result_whose_files_do_not_hold_is_last_and_never_the_best(published, tmp_path, damage, reason):
    damage(published)
    made = rebuild(published)
    [board] = made.boards
    assert [(row.model, row.rank) for row in board.rows] == [("bad", 1), ("broken", None), ("good", None)]
    row = board.rows[-1]
    assert row.trust == FAILED
    assert any(line.startswith("check of seed ") and reason in line for line in row.reasons)
    assert board.best.model == "bad"
    assert set(made.faults) <= {str(file) for file in files_of(published, "good", ".json")}
    assert all(reason in fault for fault in made.faults.values())
    assert made.faults
    before = texts(published)
    assert not [name for name, text in before.items() if str(tmp_path) in text]
    for ending in ("md", "csv", "json"):
        assert FAILED in before[f"{BOARD}.{ending}"]
    shutil.copytree(published / "results", tmp_path / "else where" / "results")
    rebuild(tmp_path / "else where")
    assert texts(tmp_path / "else where") == before


def test_other_scores_than_the_errors_give_are_named(published):
    other_score(published)
    done = publish(ResultStore(published / "results").records(), published, Scrubber())
    [fault] = done.refused.values()
    assert fault.startswith("the errors per image do not give its mae: it differs by ")


def test_files_that_cannot_be_read_fail_their_rows_and_not_the_board(published, monkeypatch):
    def locked(path):
        raise PermissionError(13, "no", str(path))

    monkeypatch.setattr(form, "sha256_of", locked)
    [board] = rebuild(published).boards
    assert {row.trust for row in board.rows if row.seeds} == {FAILED}
    assert all(any("cannot be read" in reason for reason in row.reasons) for row in board.rows if row.seeds)


def test_a_failed_run_whose_files_do_not_hold_is_shown_so_too(published):
    [file] = files_of(published, "broken", ".json")
    page = json.loads(file.read_text())
    file.write_text(json.dumps(page | {"files": {"history.csv": {"bytes": 3, "sha256": "0" * 64}}}))
    made = rebuild(published)
    assert {row.model: row.trust for row in made.boards[0].rows}["broken"] == FAILED
    assert list(made.faults) == [str(file)]


def cut(page):
    return json.dumps(page)[:-9]


def newer(page):
    return json.dumps(page | {"schema": 99})


def no_record(page):
    return json.dumps(page | {"seed": "none"})


@pytest.mark.parametrize(
    ("change", "said"), [(cut, "is damaged"), (newer, "written by a newer fkbench"), (no_record, "is no valid record")]
)
@pytest.mark.parametrize("folder", [BOARD, "moved"])
def test_a_record_that_cannot_be_read_is_named_on_its_board(published, tmp_path, change, said, folder):
    (published / "results" / BOARD).rename(published / "results" / folder)
    file = sorted((published / "results" / folder).glob("bad-*.predictions.safetensors"))[0]
    file = file.with_name(file.name.replace(".predictions.safetensors", ".json"))
    file.write_text(change(json.loads(file.read_text())))
    heard = []
    [board] = rebuild(published, heard.append).boards
    assert [file.name in line for line in heard] == [True]
    found = texts(published)
    # The board that a file of another folder belongs to is not known.
    places = [f"{BOARD}.md", f"{BOARD}.json"] if folder == BOARD else ["index.md"]
    assert bool(board.notes) == (folder == BOARD)
    for name in (*places, "index.html"):
        assert "the record is left out" in found[name], name
        assert file.name in found[name].replace("\\", ""), name
        assert said in found[name], name
    assert not [name for name, text in found.items() if str(tmp_path) in text]


def test_where_no_record_of_a_board_can_be_read_the_page_of_all_boards_says_so(published, put, call, tmp_path):
    for file in (published / "results" / BOARD).glob("*.json"):
        file.write_text("{")
    code, _, err = call("leaderboard", "--publish", published, runs=published)
    assert code == 1
    assert err.count("Damaged: ") == 7
    assert "is damaged" in (published / "index.md").read_text()
    assert "is damaged" in (published / "index.html").read_text()
    assert not (published / f"{BOARD}.md").exists()


def test_the_commands_say_so_and_the_page_that_is_served_shows_it(published, call, tmp_path):
    no_history(published)
    files_of(published, "bad", ".json")[0].write_text("{")
    code, out, err = call("leaderboard", "--publish", published, "--json", runs=published)
    assert code == 1
    [refused] = json.loads(out)["refused"]
    assert "history.csv is listed" in refused["reason"]
    assert str(tmp_path) not in refused["reason"]
    assert "Damaged: " in err
    assert call("leaderboard", "--out", tmp_path / "page", runs=published)[0] == 0
    for name in (f"{BOARD}.md", f"{BOARD}.json"):
        assert (tmp_path / "page" / name).read_text() == (published / name).read_text()
    assert "is damaged: the record is left out" in (tmp_path / "page" / "index.html").read_text()
    [board] = json.loads(call("leaderboard", "--json", runs=published)[1])["boards"]
    assert {row["model"]: row["trust"] for row in board["rows"]}["good"] == FAILED
    files_of(published, "bad", ".json")[0].unlink()
    code, _, err = call("leaderboard", "--publish", published)
    assert code == 1
    assert "history.csv is listed" in err


def test_a_damaged_run_is_named_by_its_folder(tmp_path):
    file = tmp_path / "runs" / "faces" / "net" / "a1" / RECORD_FILE
    notes = damage_notes({file: FkbenchError(f"'{file}' is damaged: line 1.")})
    assert notes == {"a1": ("'faces/net/a1' is damaged: the record is left out.",)}
