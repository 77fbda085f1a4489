"""Results about detectors: published checked and scrubbed, their boards made from the published files alone."""

from __future__ import annotations

import json
import shutil

from detector_results import boxed, boxed_file, detector, publish_all, put_detector, texts, write

from fkbench.cli.main import main
from fkbench.publishing import Sides, merge, rebuild
from fkbench.records import ResultStore
from fkbench.records.detection_keys import boxed_stem, detector_key, detector_stem, question_of
from fkbench.records.detections import boxed_files


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
