"""The commands themselves: what they print, JSON on stdout alone, exit codes."""

from __future__ import annotations

import json

import pytest

from fkbench.records import ResultStore
from fkbench.records.detection_keys import detector_key, detector_stem


@pytest.fixture
def two(put):
    for seed in range(3):
        put("one", 1.0, seed)
        put("two", 2.0, seed)


def test_publish_then_read_the_published_folder_like_runs(call, two, tmp_path):
    lb = tmp_path / "lb"
    code, out, _err = call("leaderboard", "--publish", lb)
    assert (code, out.count("published: ")) == (0, 6)
    code, out, _ = call("leaderboard", "--json", runs=lb)
    assert [row["model"] for row in json.loads(out)["boards"][0]["rows"]] == ["one", "two"]
    assert [row["trust"] for row in json.loads(out)["boards"][0]["rows"]] == ["self-reported"] * 2
    before = {path: path.read_bytes() for path in lb.iterdir() if path.is_file()}
    assert call("leaderboard", "--publish", lb, runs=lb)[0] == 0
    assert before == {path: path.read_bytes() for path in lb.iterdir() if path.is_file()}


def test_only_some_are_published(call, two, tmp_path):
    assert call("leaderboard", "--publish", tmp_path / "lb", "--only", "two@faces")[0] == 0
    assert {record.model.name for record in ResultStore(tmp_path / "lb").records()} == {"two"}
    code, _, err = call("leaderboard", "--publish", tmp_path / "lb", "--only", "three@faces")
    assert code == 2
    assert "Unknown run 'three@faces'" in err


def put_detector(store, name, dataset="faces"):
    """A detector's score, as `fkbench detect --dataset` stores it."""
    finding = {"recall": 0.9, "recall_ci": [0.8, 1.0], "precision": 1.0, "precision_ci": None, "ap": None,
               "extra_per_picture": 0.0, "cover": 0.9, "noise": None}  # fmt: skip
    pictures = {"corrected": finding, "raw": finding, "main_recall": 0.9}
    page = {
        "schema": 1, "kind": "detector",
        "detector": {"name": name, "settings": {}, "source": "", "weights": "", "versions": {}},
        "dataset": {
            "name": dataset, "split": "honest", "split_version": 1, "fingerprint": "sha256:0123456789", "pictures": 9,
        },
        "correction": {"scale": 1.0, "dx": 0.0, "dy": 0.0, "provenance": {}}, "clean": pictures, "harder": {},
        "timing": {"ms": {"p50": 3.0, "p90": 4.0}, "void": False, "quick": True},
    }  # fmt: skip
    file = store.root / "detectors" / dataset / f"{detector_stem(page)}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(page | {"key": detector_key(page)}))


@pytest.mark.parametrize(
    ("only", "runs", "detectors"),
    [
        (["finder@faces"], set(), {"finder"}),
        (["finder@faces/honest", "seeker@faces"], set(), {"finder", "seeker"}),
        (["two@faces", "seeker@faces"], {"two"}, {"seeker"}),
        (["two@faces"], {"two"}, set()),
        (["one@faces"], {"one"}, {"one"}),
    ],
)
def test_only_some_detectors_are_published(call, store, two, tmp_path, only, runs, detectors):
    for name in ("finder", "seeker", "one"):
        put_detector(store, name)
    put_detector(store, "finder", "others")
    words = [word for text in only for word in ("--only", text)]
    assert call("leaderboard", "--publish", tmp_path / "lb", *words)[0] == 0
    assert {record.model.name for record in ResultStore(tmp_path / "lb").records()} == runs
    files = [json.loads(file.read_text()) for file in (tmp_path / "lb" / "results").glob("*/*.detector.json")]
    assert {(page["detector"]["name"], page["dataset"]["name"]) for page in files} == {(n, "faces") for n in detectors}


def test_a_detector_that_is_not_there_is_named(call, store, two, tmp_path):
    put_detector(store, "finder")
    code, _, err = call("leaderboard", "--publish", tmp_path / "lb", "--only", "finder@elsewhere")
    assert code == 2
    assert "finder@elsewhere'" in err
    assert "finder@faces" in err


def test_detectors_alone_are_merged_and_have_their_form_checked(call, store, tmp_path):
    put_detector(store, "finder")
    assert call("leaderboard", "--publish", tmp_path / "lb", "--only", "finder@faces")[0] == 0
    code, out, err = call("verify", "--all", "--json", runs=tmp_path / "lb")
    assert (code, json.loads(out)["results"]) == (0, [])
    assert "1 of detectors" in err
    assert call("merge", tmp_path / "lb", "--out", tmp_path / "merged")[0] == 0
    (file,) = (tmp_path / "merged" / "results").glob("*/*.detector.json")
    file.write_text(file.read_text().replace('"recall": 0.9', '"recall": 9'))
    code, out, err = call("verify", "--all", runs=tmp_path / "merged")
    assert (code, out) == (1, "1 result: 0 checked, 1 failed\n")
    assert file.name in err


def test_a_conflict_is_exit_code_1_until_it_is_resolved(call, put, tmp_path):
    key = put("net", 1.0).key
    assert call("leaderboard", "--publish", tmp_path / "lb")[0] == 0
    put("net", 2.0, key=key)
    code, out, _ = call("leaderboard", "--publish", tmp_path / "lb", "--json")
    assert code == 1
    assert "metrics.rmse" in {field["field"] for field in json.loads(out)["conflicts"][0]["fields"]}
    code, _, err = call("leaderboard", "--publish", tmp_path / "lb")
    assert "--replace" in err
    assert call("merge", tmp_path / "lb", tmp_path / "runs")[0] == 1
    assert call("merge", tmp_path / "lb", tmp_path / "runs", "--keep", "first")[0] == 0
    assert call("leaderboard", "--publish", tmp_path / "lb", "--replace")[0] == 0
    assert call("merge", tmp_path / "lb", tmp_path / "runs")[0] == 0


def test_verify_stores_for_runs_and_asks_for_published_ones(call, two, tmp_path):
    assert call("leaderboard", "--publish", tmp_path / "lb")[0] == 0
    code, out, _err = call("verify", "one@faces", "--json")
    page = json.loads(out)
    assert (code, len(page["results"]), page["mismatches"]) == (0, 3, 0)
    assert page["results"][0]["trust"] == "arithmetic checked (errors only)"
    assert list((tmp_path / "runs").rglob("verification.json"))
    assert call("verify", "--all", runs=tmp_path / "lb")[0] == 0
    assert not (tmp_path / "lb" / "verified").exists()
    assert call("verify", "--all", "--store", runs=tmp_path / "lb")[0] == 0
    rows = json.loads(call("leaderboard", "--json", runs=tmp_path / "lb")[1])["boards"][0]["rows"]
    assert {row["trust"] for row in rows} == {"arithmetic checked (errors only)"}


def test_a_tampered_result_fails_its_check_and_loses_its_rank(call, two, tmp_path):
    call("leaderboard", "--publish", tmp_path / "lb")
    path = next((tmp_path / "lb" / "results").rglob("one-*.json"))
    page = json.loads(path.read_text())
    page["metrics"]["mae"] /= 2
    path.write_text(json.dumps(page))
    code, _out, err = call("verify", path, "--store", runs=tmp_path / "lb")
    assert code == 1
    assert "Mismatch: mae" in err
    rows = json.loads(call("leaderboard", "--json", runs=tmp_path / "lb")[1])["boards"][0]["rows"]
    assert {row["model"]: (row["rank"], row["trust"]) for row in rows}["one"] == (None, "check failed")


def test_compare_prints_an_answer_and_its_gate_decides_the_exit_code(call, two):
    code, out, _ = call("compare", "one@faces", "two@faces", "--fail-on", "rmse>+2%")
    assert code == 1
    assert "A is better" in out
    assert "rmse>+2%: failed" in out
    code, out, _ = call("compare", "two@faces", "one@faces", "--fail-on", "rmse>+2%", "--json")
    assert code == 0
    assert json.loads(out)["better"] == "b"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["verify"], "Which results?"),
        (["verify", "nobody"], "Unknown run 'nobody'"),
        (["verify", "one@faces", "--all"], "Which results?"),
        (["compare", "one@faces", "one@faces"], "have runs in common"),
        (["compare", "one@faces", "two@faces", "--fail-on", "rmse"], "is no rule"),
        (["compare", "one@faces", "two@faces", "--decide", "luck"], "'luck' is unknown"),
        (["merge", "nowhere"], "There is no folder 'nowhere'"),
        (["leaderboard", "--only", "one@faces"], "--only and --replace say what to publish"),
        (["leaderboard", "--publish", "x", "--out", "y"], "--publish writes tables, too"),
    ],
)
def test_bad_use_is_one_line_a_remedy_and_exit_code_2(call, two, words, message):
    code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 2
