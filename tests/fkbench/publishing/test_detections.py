"""Results about detectors: published checked and scrubbed, their boards made from the published files alone."""

from __future__ import annotations

import json
import shutil

import pytest

from fkbench.cli.main import main
from fkbench.detect.pages import row_of
from fkbench.errors import FkbenchError
from fkbench.publishing import Scrubber, Sides, merge, publish, publish_boxed, publish_detectors, rebuild
from fkbench.records import ResultStore
from fkbench.records.detection_keys import boxed_stem, detector_key, detector_stem, question_of
from fkbench.records.detections import BoxedResult, DetectorResult, boxed_files, detectors_of, read_detection

FINDING = {"recall": 0.9, "recall_ci": [0.8, 1.0], "precision": 1.0, "precision_ci": None, "ap": None,
           "extra_per_picture": 0.0, "cover": 0.9, "noise": None}  # fmt: skip


def detector(name="finder", **changes):
    page = {
        "schema": 1, "kind": "detector",
        "detector": {
            "name": name, "settings": {"model_path": "/home/jane/secret.tflite", "level": 3}, "source": "0a",
            "weights": "", "versions": {"cv2": "4.14.0"},
        },
        "dataset": {
            "name": "faces", "split": "honest", "split_version": 1, "fingerprint": "sha256:0123456789", "pictures": 9,
        },
        "correction": {"scale": 1.0, "dx": 0.0, "dy": 0.1, "provenance": {}},
        "clean": {"corrected": FINDING, "raw": FINDING, "main_recall": 0.9},
        "harder": {"dark": {"corrected": FINDING, "raw": FINDING, "main_recall": None}},
        "timing": {"ms": {"p50": 3.0, "p90": 4.0}, "void": False, "quick": True},
    }  # fmt: skip
    return {**page, "key": detector_key(page), **changes}


def boxed(record, box="finder", **changes):
    page = {
        "subject": record.key, "model": record.model.name, "seed": record.seed, "protocol": "fair", "overrides": {},
        "trained_on": "whole", "box_jitter": None, "recorded_rmse": 1.0, "box": box,
        "box_settings": {"settings": {"file": "/home/jane/x"}, "jitter": 0.0},
        "dataset": {"name": "faces", "split": "honest", "fingerprint": "sha256:0123456789", "images": 48},
        "metrics": {"rmse": 2.5, "rmse_ci": [2.0, 3.0], "missed_faces": 4},
        "extra_rmse": 0.5, "extra_rmse_ci": [0.4, 0.6],
    }  # fmt: skip
    return page | changes


def write(path, page):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(page))
    return path


def put_detector(root, page=None):
    """Write a detector's page, by its own name, into a runs folder."""
    page = detector() if page is None else page
    return write(root / "detectors" / page["dataset"]["name"] / f"{detector_stem(page)}.json", page)


@pytest.fixture
def scored(store, put):
    """Three runs of a model, one of them with a detector's boxes, and a detector's own score."""
    records = [put("net", 1.0, seed) for seed in range(3)]
    own = next(record for record in store.records() if record.key == records[0].key)
    put_detector(store.root)
    folder = next(path.parent for path in store.root.glob(f"*/*/{own.key}/record.json"))
    write(folder / f"{boxed_stem(boxed(own))}.json", boxed(own))
    return folder


def boxed_file(folder):
    (file,) = folder.glob("boxed-finder-*.json")
    return file


def publish_all(store, folder, **options):
    records = ResultStore(store.root).records()
    done = publish(records, folder, Scrubber(("jane",)), **options)
    publish_detectors(store.root, folder, Scrubber(("jane",)), done.sides, **options)
    return done


def texts(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_both_are_published_scrubbed_and_make_boards_from_the_files_alone(store, scored, tmp_path):
    done = publish_all(store, tmp_path / "lb")
    # Names and keys follow from what is published: a path that was taken out of the settings is in neither.
    for path in done.sides.written:
        page = json.loads(path.read_text())
        if "detector" in page:
            assert path.name == f"{detector_stem(page)}.detector.json"
            assert page["key"] == detector_key(page) != detector()["key"]
        else:
            assert path.name.endswith(f".{boxed_stem(page)}.score.json")
            assert boxed_stem(page) != boxed_file(scored).stem
    assert len(done.sides.written) == 2
    made = rebuild(tmp_path / "lb")
    assert [side.slug for side in made.sides] == ["boxes-faces-honest-01234567", "detectors-faces-honest-01234567"]
    models, detectors = made.sides
    assert [row[3] for row in models.rows] == ["whole", "finder"]
    assert models.rows[1][4:9] == ("2.500", "2.000 – 3.000", "+0.500", "0.400 – 0.600", "4")
    assert detectors.rows[0][2] == "0.900 (0.800–1.000)"
    everything = texts(tmp_path / "lb")
    assert not [name for name, data in everything.items() if b"jane" in data]
    assert b"boxes-faces-honest-01234567.md" in everything["index.md"]
    page = everything["index.html"].decode()
    assert 'id="boxes-faces-honest-01234567"' in page
    assert "Self-reported" in page
    shutil.copytree(tmp_path / "lb" / "results", tmp_path / "moved" / "results")
    shutil.rmtree(store.root)
    rebuild(tmp_path / "moved")
    assert texts(tmp_path / "moved") == everything


def test_two_versions_of_a_split_never_share_a_table(store, scored, tmp_path):
    """Their test pictures are others; the first version's names are as they were."""
    later = detector()
    later["dataset"] = later["dataset"] | {"split_version": 2}
    later["key"] = detector_key(later)
    assert question_of(later) != question_of(detector())
    put_detector(store.root, later)
    own = next(record for record in ResultStore(store.root).records() if record.path == str(scored))
    page = boxed(own)
    page["dataset"] = page["dataset"] | {"split_version": 2}
    assert boxed_stem(page) != boxed_stem(boxed(own))
    write(scored / f"{boxed_stem(page)}.json", page)
    publish_all(store, tmp_path / "lb")
    names = ("boxes-faces-honest-01234567", "detectors-faces-honest-01234567")
    sides = {side.slug: side for side in rebuild(tmp_path / "lb").sides}
    assert sorted(sides) == sorted([*names, *(f"{name}-v2" for name in names)])
    assert [row[3] for row in sides[names[0]].rows] == ["whole", "finder"]
    assert [row[3] for row in sides[f"{names[0]}-v2"].rows] == ["finder"]
    assert [len(sides[name].rows) for name in (names[1], f"{names[1]}-v2")] == [1, 1]
    assert sides[f"{names[1]}-v2"].title == "Detectors on faces, split honest, version 2"


def test_they_do_not_get_in_the_way_of_records(store, scored, tmp_path):
    publish_all(store, tmp_path / "lb")
    damaged = []
    assert len(ResultStore(tmp_path / "lb").records(damaged.append)) == 3
    assert damaged == []


def test_publishing_again_changes_nothing_and_another_answer_stays_out_until_it_is_asked_for(store, scored, tmp_path):
    publish_all(store, tmp_path / "lb")
    assert publish_all(store, tmp_path / "lb").sides == Sides()
    file = boxed_file(scored)
    page = json.loads(file.read_text())
    write(file, page | {"metrics": {"rmse": 2.0, "missed_faces": 4}})
    kept = publish_all(store, tmp_path / "lb").sides
    assert (len(kept.written), len(kept.kept)) == (0, 1)
    replaced = publish_all(store, tmp_path / "lb", replace=True).sides
    assert (len(replaced.written), len(replaced.kept)) == (1, 0)


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


def test_merging_takes_them_along(store, scored, tmp_path):
    publish_all(store, tmp_path / "lb")
    merge([tmp_path / "lb"], tmp_path / "out")
    assert [side.title for side in rebuild(tmp_path / "out").sides] == [
        "Models by boxes on faces, split honest",
        "Detectors on faces, split honest",
    ]
    merge([store.root], tmp_path / "again")
    assert len(rebuild(tmp_path / "again").sides) == 2


def test_boards_of_detectors_that_are_gone_are_removed(store, scored, tmp_path):
    publish_all(store, tmp_path / "lb")
    rebuild(tmp_path / "lb")
    for path in (tmp_path / "lb" / "results").glob("*/*.detector.json"):
        path.unlink()
    rebuild(tmp_path / "lb")
    assert not list((tmp_path / "lb").glob("detectors-*"))
    assert len(list((tmp_path / "lb").glob("boxes-*"))) == 3


def test_files_beside_a_published_record_of_a_longer_name_are_not_taken_for_its_own(store, scored, tmp_path):
    publish_all(store, tmp_path / "lb")
    found = {record.key: list(boxed_files(record)) for record in ResultStore(tmp_path / "lb").records()}
    assert sorted(len(files) for files in found.values()) == [0, 0, 1]


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


def test_the_terminal_and_json_have_the_boards_about_detectors(store, scored, tmp_path, capsys):
    words = ["--data", str(tmp_path / "data"), "--runs", str(store.root), "leaderboard"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "Models by boxes on faces, split honest" in shown
    assert "Detectors on faces, split honest" in shown
    assert main([*words, "--json"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert [part["board"] for part in page["detectors"]] == [
        "boxes-faces-honest-01234567", "detectors-faces-honest-01234567",
    ]  # fmt: skip
    assert all(part["rows"] for part in page["detectors"])


def test_a_folder_with_scores_of_detectors_alone_has_tables_too(store, tmp_path, capsys):
    put_detector(store.root)
    words = ["--data", str(tmp_path / "data"), "--runs", str(store.root), "leaderboard"]
    assert main([*words, "--json"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert (page["boards"], [part["board"] for part in page["detectors"]]) == ([], ["detectors-faces-honest-01234567"])
    assert main([*words, "--out", str(tmp_path / "tables")]) == 0
    assert (tmp_path / "tables" / "detectors-faces-honest-01234567.md").is_file()
