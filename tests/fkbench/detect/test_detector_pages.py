"""Pages of detectors' scores and the board made from them."""

from __future__ import annotations

import pytest

from fkbench.detect.pages import board_rows, footnotes, seen_in_fit, write_boards
from fkbench.errors import FkbenchError

SCORES = {"recall": 0.9, "recall_ci": [0.8, 1.0], "precision": 1.0, "precision_ci": None, "ap": None,
          "extra_per_picture": 0.0, "cover": 0.9, "noise": None}  # fmt: skip


def page(name="mine", fit=None, quick=False, void=False, **settings):
    return {
        "key": "0" * 16, "detector": {"name": name, "settings": settings},
        "dataset": {"name": "faces", "split": "identity", "split_version": 1, "fingerprint": "sha256:1", "pictures": 9},
        "correction": {"provenance": fit or {}},
        "clean": {"corrected": SCORES, "raw": SCORES, "main_recall": 0.9}, "harder": {},
        "timing": {"ms": {"p50": 3.0, "p90": 4.0}, "void": void, "quick": quick},
    }  # fmt: skip


def fitted(split, fingerprint="sha256:1"):
    return {"dataset": "faces", "split": split, "fingerprint": fingerprint}


def test_a_correction_of_another_split_may_have_seen_the_test_frames():
    assert seen_in_fit(page(fit=fitted("official")))
    assert not seen_in_fit(page(fit=fitted("identity")))
    assert not seen_in_fit(page(fit=fitted("official", "sha256:2")))
    assert not seen_in_fit(page())


@pytest.mark.parametrize(("marks", "cell"), [({}, " 3.0 "), ({"quick": True}, "~3.0"), ({"void": True}, "3.0\\*")])
def test_times_say_what_they_are_worth(tmp_path, marks, cell):
    rows = board_rows([page(**marks)])
    assert len(footnotes(rows)) == len(marks)
    _, markdown, _ = write_boards([page(**marks)], tmp_path)
    assert cell in markdown.read_text()


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    taken = tmp_path / "file"
    taken.write_text("")
    with pytest.raises(FkbenchError, match="Cannot write"):
        write_boards([page()], taken)


def test_names_by_anyone_do_nothing_in_a_table(tmp_path):
    table, markdown, _ = write_boards([page("=cmd()|<b>", file="[x](y)")], tmp_path)
    assert "\n=cmd" not in table.read_text()
    text = markdown.read_text()
    assert "\\|" in text
    assert "<b>" not in text
    assert "[x](" not in text


def of_data(name, **data):
    found = page(name)
    return {**found, "dataset": {**found["dataset"], **data}}


def test_detectors_that_looked_at_other_pictures_are_in_tables_of_their_own(tmp_path):
    pages = [of_data("mine"), of_data("later", split_version=2), of_data("other", fingerprint="sha256:2")]
    files = write_boards([*pages, of_data("yours")], tmp_path)
    assert sorted(file.name for file in files if file.suffix == ".md") == [
        "detectors-faces-identity-1-v2.md", "detectors-faces-identity-1.md", "detectors-faces-identity-2.md",
    ]  # fmt: skip
    texts = {file.stem.removeprefix("detectors-faces-identity-"): file.read_text() for file in files}
    names = {"1": {"mine", "yours"}, "1-v2": {"later"}, "2": {"other"}}
    for table, text in texts.items():
        assert {name for name in ("mine", "yours", "later", "other") if name in text} == names[table]


def test_one_board_and_none_have_the_plain_name(tmp_path):
    for pages in ([page()], []):
        assert [file.name for file in write_boards(pages, tmp_path)] == [
            "detectors.csv", "detectors.md", "detectors.json",
        ]  # fmt: skip
