"""What is no result about a detector is neither published nor read; what one may leave out, and texts by anyone."""

from __future__ import annotations

import json
import shutil

import pytest
from detector_results import boxed_file, detector, publish_all, put_detector, write

from fkbench.detect.pages import row_of
from fkbench.errors import FkbenchError
from fkbench.publishing import Scrubber, Sides, merge, publish_boxed, publish_detectors, rebuild
from fkbench.records import ResultStore
from fkbench.records.detection_keys import detector_key
from fkbench.records.detections import BoxedResult, DetectorResult, detectors_of, read_detection


@pytest.mark.parametrize(
    "changes",
    [{"subject": "f" * 16}, {"metrics": {"rmse": -1.0, "missed_faces": 0}}, {"metrics": {"missed_faces": 0}},
     {"metrics": {"rmse": "2", "missed_faces": 0}}, {"box_settings": {"settings": 3}}, {"unheard": 1},
     {"box": "/home/jane/finder"}, {"extra_rmse_ci": [1.0]}],
)  # fmt: skip
def test_what_is_no_score_of_the_run_is_refused_and_the_run_is_published(store, scored, tmp_path, changes):
    file = boxed_file(scored)
    write(file, json.loads(file.read_text()) | changes)
    done = publish_all(store, tmp_path / "lb")
    assert list(done.sides.refused) == [str(file)]
    assert len(done.written) == 3
    assert [side.slug for side in rebuild(tmp_path / "lb").sides] == ["detectors-faces-honest-01234567"]


@pytest.mark.parametrize(
    "changes",
    [{"schema": 2}, {"kind": "other"}, {"key": "../x"}, {"clean": {}}, {"correction": {"provenance": {"a": 1}}},
     {"timing": {}}, {"harder": {"dark": 1}}],
)  # fmt: skip
def test_what_is_no_score_of_a_detector_is_refused(tmp_path, changes):
    path = write(put_detector(tmp_path), detector() | changes)
    with pytest.raises(FkbenchError, match="no result of a detector"):
        read_detection(path, DetectorResult)
    said = []
    assert detectors_of(tmp_path, said.append) == []
    assert len(said) == 1


@pytest.mark.parametrize("where", ["key", "name", "settings", "most"])
def test_a_detectors_page_with_another_key_than_its_content_gives_is_not_read(store, scored, tmp_path, where):
    publish_all(store, tmp_path / "lb")
    (file,) = (tmp_path / "lb" / "results").glob("*/*.detector.json")
    page = json.loads(file.read_text())
    named = file.with_name("finder-ffffffffffffffff.detector.json")
    if where == "key":
        write(named, page | {"key": "f" * 16})
    elif where == "name":
        write(named, page)
    elif where == "settings":
        write(named, page | {"key": "f" * 16, "detector": page["detector"] | {"settings": {"level": 4}}})
    else:
        write(named, page | {"key": "f" * 16, "most": 3})
    said = []
    [board] = [side for side in rebuild(tmp_path / "lb", said.append).sides if side.slug.startswith("detectors")]
    assert len(board.rows) == 1
    assert len(said) == 1
    assert "another key than its content gives" in said[0]
    done = Sides()
    publish_detectors(tmp_path / "lb", tmp_path / "other", Scrubber(), done)
    assert list(done.refused) == [str(named)]
    assert len(done.written) == 1


def test_a_copy_of_a_boxed_score_under_another_key_is_not_read(store, scored, tmp_path):
    publish_all(store, tmp_path / "lb")
    (file,) = (tmp_path / "lb" / "results").glob("*/*.score.json")
    copy = file.with_name(f"{file.name.partition('.boxed-')[0]}.boxed-finder-00000000.score.json")
    shutil.copy(file, copy)
    said = []
    [board] = [side for side in rebuild(tmp_path / "lb", said.append).sides if side.slug.startswith("boxes")]
    assert [row[3] for row in board.rows] == ["whole", "finder"]
    assert len(said) == 1
    done = merge([tmp_path / "lb"], tmp_path / "out").added.sides
    assert list(done.refused) == [str(copy)]


def test_numbers_of_more_digits_than_a_page_keeps_give_the_key_of_the_page():
    long, short = ({**detector(), "correction": {"scale": scale, "dx": 0.0, "dy": 0.1}} for scale in (1 / 3, 0.333333))
    assert detector_key(long) == detector_key(short)


def test_damaged_json_is_refused_in_one_line(tmp_path):
    path = tmp_path / "boxed-finder-0a1b2c3d.json"
    for text in ("{", "[]", "[" * 5000, '{"subject": 1e999}'):
        path.write_text(text)
        with pytest.raises(FkbenchError):
            read_detection(path, BoxedResult)


def test_a_name_by_anyone_stays_inert_on_the_page(store, scored, tmp_path):
    name = "<script>alert(1)</script>"
    put_detector(store.root, detector(name=name))
    publish_all(store, tmp_path / "lb")
    rebuild(tmp_path / "lb")
    page = (tmp_path / "lb" / "index.html").read_text()
    assert "&lt;script&gt;alert(1)" in page
    assert name not in page


def test_boxed_scores_of_a_run_without_its_record_are_not_published(store, scored, tmp_path):
    record = next(record for record in ResultStore(store.root).records() if record.path == str(scored))
    done = Sides()
    publish_boxed(record.model_copy(update={"key": "e" * 16}), tmp_path / "net-eeeeeeee.json", Scrubber(), done)
    assert done.written == []
    assert len(done.refused) == 1


def test_what_a_detectors_score_may_leave_out_is_left_out_of_its_board(tmp_path):
    least = {"recall": 0.5}
    few = {"corrected": least, "raw": least}
    page = detector(clean=few, harder={"dark": few}, timing={"ms": {"p50": 3.0}, "void": False, "quick": True})
    read = read_detection(put_detector(tmp_path, page), DetectorResult)
    row = row_of(read)
    assert (row["recall"], row["ms_p50"], row["dark"]) == (0.5, 3.0, 0.5)
    empty = ("recall_low", "precision", "ap", "cover", "noise_x", "ms_p90", "main_recall")
    assert {row[name] for name in empty} == {None}
