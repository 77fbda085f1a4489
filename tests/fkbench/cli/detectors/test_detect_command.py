"""`fkbench detect`: boxes in pictures, and detectors scored on a dataset."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from fkbench.records.detection_keys import detector_key
from fkbench.records.detections import DetectorResult, read_detection


def test_pictures_give_boxes_as_json_text_and_drawn(bench, capsys):
    two, none = bench.picture("two.png", 2), bench.folder / "none.png"
    cv2.imwrite(str(none), np.zeros((8, 8), np.uint8))
    words = ["detect", "--detector", "bright", two, none, "--out", bench.folder / "drawn"]
    assert bench.call(*words, "--json") == 0
    page = json.loads(capsys.readouterr().out)
    first, second = page["images"]
    assert sorted(first["boxes"]) == [[30, 20, 40, 40, 0.9], [130, 20, 40, 40, 0.9]]
    assert sorted(first["corrected"]) == [[30, 20, 40, 40], [130, 20, 40, 40]]
    assert first["ms"] > 0
    assert (second["boxes"], second["path"]) == ([], str(none))
    drawn = cv2.imread(str(bench.folder / "drawn" / "two.png"))
    assert drawn.shape == (80, 200, 3)
    assert (drawn != cv2.imread(str(two))).any()
    assert bench.call(*words) == 0
    assert "two.png: 2 faces" in capsys.readouterr().out


def test_no_drawing_replaces_a_picture_or_another_drawing(bench, capsys):
    one, drawn = bench.picture("one.png"), bench.folder / "drawn"
    bench.picture("two.png", 2).rename(bench.folder / "one.bmp")
    before = one.read_bytes()
    assert bench.call("detect", "--detector", "bright", one, "--out", bench.folder) == 2
    assert "would replace it" in capsys.readouterr().err
    assert one.read_bytes() == before
    assert bench.call("detect", "--detector", "bright", one, bench.folder / "one.bmp", "--out", drawn) == 0
    assert {path.name: cv2.imread(str(path)).shape[1] for path in drawn.iterdir()} == {"one.png": 100, "one-2.png": 200}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--detector", "bright"], "Give pictures or --dataset"),
        (["--detector", "truth", "PICTURE"], "does not look for faces"),
        (["--detector", "brigth", "PICTURE"], "bright"),
        (["--detector", "bright", "CORRUPT"], "does not decode"),
        (["--detector", "bright", "PICTURE", "--set", "level=high"], "needs a whole number"),
        (["--detector", "bright", "--dataset", "synthetic15"], "face crops already"),
        (["PICTURE"], "Which detector?"),
    ],
)
def test_bad_use_ends_in_a_line_and_exit_code_2(bench, capsys, words, said):
    files = {"PICTURE": bench.picture("a.png"), "CORRUPT": bench.folder / "bad.jpg"}
    files["CORRUPT"].write_bytes(b"\xff\xd8 no picture")
    assert bench.call("detect", *(files.get(word, word) for word in words)) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_a_detector_is_scored_reused_corrected_and_put_on_a_board(bench, capsys):
    words = ["detect", "--detector", "bright", "--dataset", "patches", "--quick"]
    assert bench.call(*words, "--json") == 0
    (page,) = json.loads(capsys.readouterr().out)["detectors"]
    clean, test = page["clean"], page["clean"]["pictures"]
    assert clean["faces"] == test == page["dataset"]["of"]
    assert clean["boxes"] < test  # some frames have no patch
    assert clean["corrected"]["precision"] == 1
    assert clean["corrected"]["recall"] == pytest.approx(clean["boxes"] / test, rel=1e-5)
    assert clean["corrected"]["ap"] == pytest.approx(clean["boxes"] / test, rel=1e-5)
    assert set(page["harder"]) == {"rotated", "small", "dark", "blurred", "several"}
    assert page["harder"]["dark"]["corrected"]["recall"] == 0  # darker than its level
    assert page["timing"]["ms"]["p50"] > 0
    assert page["timing"]["quick"]
    assert not page["correction"]["fitted"]
    assert bench.call(*words) == 0
    said = capsys.readouterr()
    assert "scored before" in said.err
    assert "no correction is fitted" in " ".join(said.out.split())

    assert bench.call(*words, "--fit", "--json") == 0
    fitted = json.loads(capsys.readouterr().out)
    assert fitted["scale"] == pytest.approx(1.25 * 38 / 39, abs=0.02)  # the points span a pixel less than the patch
    assert (fitted["dx"], fitted["dy"]) == (0, 0)
    assert (fitted["provenance"]["part"], fitted["provenance"]["dataset"]) == ("train", "patches")
    assert bench.call(*words, "--json") == 0
    (after,) = json.loads(capsys.readouterr().out)["detectors"]
    assert after["key"] != page["key"]
    assert after["clean"]["corrected"]["noise"]["sd"]["side"] < 0.01
    assert after["clean"]["raw"] == clean["raw"]

    assert bench.call("detect", "--dataset", "patches", "--out", bench.folder / "board", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["detectors"]) == 2
    rows = bench.rows("board/detectors.csv")
    assert {(row["detector"], row["precision"], row["corrected_on"]) for row in rows} == {
        ("bright", "1.0", "not fitted"),
        ("bright", "1.0", "patches default train"),
    }
    assert (bench.folder / "board" / "detectors.md").read_text().startswith("| detector |")


def test_a_broken_picture_among_others_is_said_and_detect_goes_on(bench, mixed, capsys):
    folder, broken = mixed
    assert bench.call("detect", "--detector", "bright", folder, "--out", bench.folder / "drawn", "--json") == 1
    said = capsys.readouterr()
    one, two, three = json.loads(said.out)["images"]
    assert [len(one["boxes"]), len(three["boxes"])] == [1, 1]
    assert two["path"] == str(folder / "b.png")
    assert "does not decode" in two["error"]
    assert "boxes" not in two  # nobody takes it for a picture without faces
    assert f"'{folder / 'b.png'}' does not decode" in said.err
    assert "1 of 3 pictures could not be used" in said.err
    assert sorted(path.name for path in (bench.folder / "drawn").iterdir()) == ["a.png", "c.png"]
    assert bench.call("detect", "--detector", "bright", folder) == 1
    assert capsys.readouterr().out.count("1 face") == 2
    assert bench.call("detect", "--detector", "bright", broken, "--json") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "None of the 2 pictures can be used" in said.err


def test_a_brief_timing_is_no_answer_to_a_full_one(bench, capsys, monkeypatch):
    from fkbench.detect import speed

    monkeypatch.setattr(speed, "FULL", speed.Plan(**{**vars(speed.QUICK), "calls": 8}))
    words = ["detect", "--detector", "bright", "--dataset", "patches"]
    for more, quick in ((["--quick"], True), ([], False), (["--quick"], False)):
        assert bench.call(*words, *more, "--json") == 0
        said = capsys.readouterr()
        assert json.loads(said.out)["detectors"][0]["timing"]["quick"] is quick
    assert "scored before" in said.err


def test_a_page_holds_what_its_key_is_of_and_one_that_does_not_is_made_again(bench, capsys):
    words = ["detect", "--detector", "bright", "--dataset", "patches", "--quick", "--most", "3"]
    assert bench.call(*words) == 0
    (path,) = (bench.folder / "runs" / "detectors" / "patches").iterdir()
    page = read_detection(path, DetectorResult)
    assert (page["most"], page["dataset"]["pictures"]) == (3, 3)
    assert page["key"] == detector_key(page) != detector_key({**page, "most": 0})
    path.write_text(json.dumps(page | {"most": 4}))
    capsys.readouterr()
    assert bench.call("detect", "--dataset", "patches") == 0
    assert "another key than its content gives" in capsys.readouterr().err
    assert bench.call(*words) == 0
    assert "scored before" not in capsys.readouterr().err
    assert read_detection(path, DetectorResult)["most"] == 3


def test_few_test_frames_are_not_fewer_than_none(bench, capsys):
    assert bench.call("detect", "--detector", "bright", "--dataset", "patches", "--most", "-1") == 2
    assert "--most" in capsys.readouterr().err
