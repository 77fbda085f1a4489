"""`fkbench detect`, and detectors inside `run`, `score` and `predict`, with a dataset and detector of a local file."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from fkbench.cli.main import main
from fkbench.records import RunStore
from fkbench.records.detection_keys import detector_key
from fkbench.records.detections import DetectorResult, read_detection
from fkbench.registry import load_registry
from fkbench.runner.loading import load_run

PLUGIN = '''
import fkbench
import numpy as np
from fkbench.datasets.samples import Frames, Samples

@fkbench.dataset("patches", scheme="face15", boxes=("truth", "frame"), any_box=True, scoring="face224", channels=3,
                 margin=0.2, defaults={"uniform": ("default", "truth")})
def patches(store, settings):
    """A bright patch on a dark ground, its keypoints inside; in some frames there is none."""
    source, frames, points, people = np.random.default_rng(0), [], [], []
    for i in range(48):
        frame = np.full((90, 120, 3), 20, np.uint8)
        x, y, side = source.integers(0, 60), source.integers(0, 40), source.integers(30, 48)
        if i % 6:
            frame[y : y + side, x : x + side] = 200
        frames.append(frame)
        points.append(np.stack([x, y]) + side * source.uniform(0.1, 0.9, (15, 2)) - 0.5)
        points[-1][0], points[-1][1] = (x, y), (x + side - 1, y + side - 1)
        people.append(f"p{i // 2}")
    names = tuple(f"f{i}" for i in range(48))
    return Samples(names, Frames.pack(frames), np.float32(points), tuple(people), "sha256:" + "1" * 64)

@fkbench.detector("bright", settings={"level": fkbench.Setting(100, "grey level of a face"),
                                      "preset": fkbench.Setting("plain", "which", ("plain", "deep"))},
                  presets={"deep": {"level": 150}}, licence="none")
def bright(level, preset):
    """The box of all that is bright, split down the middle of a wide picture."""
    def find(image):
        half = image.shape[1] if image.shape[1] < 2 * image.shape[0] else image.shape[1] // 2
        found = []
        for left in range(0, image.shape[1], half):
            rows, columns = np.nonzero(image[:, left : left + half, 0] > level)
            if len(rows):
                size = columns.max() + 1 - columns.min(), rows.max() + 1 - rows.min()
                found.append([left + columns.min(), rows.min(), *size, 0.9])
        return found
    return find
'''


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "plugin.py").write_text(PLUGIN)

    def call(self, *words: object) -> int:
        folders = [
            "--data",
            self.folder / "data",
            "--runs",
            self.folder / "runs",
            "--plugin",
            self.folder / "plugin.py",
        ]
        return main([*map(str, words), *map(str, folders)])

    def picture(self, name: str, patches: int = 1) -> Path:
        image = np.full((80, 100 * patches, 3), 20, np.uint8)
        for i in range(patches):
            image[20:60, 100 * i + 30 : 100 * i + 70] = 200
        path = self.folder / name
        assert cv2.imwrite(str(path), image)
        return path


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


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
    clean = page["clean"]
    test = clean["pictures"]
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
    with (bench.folder / "board" / "detectors.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["detector"], row["precision"], row["corrected_on"]) for row in rows} == {
        ("bright", "1.0", "not fitted"),
        ("bright", "1.0", "patches default train"),
    }
    assert (bench.folder / "board" / "detectors.md").read_text().startswith("| detector |")


def test_a_detector_in_the_loop_and_every_face_of_a_picture(bench, capsys):
    run = ["run", "--model", "mean-shape", "--dataset", "patches", "--protocol", "smoke", "--json"]
    assert bench.call(*run) == 0
    (record,) = json.loads(capsys.readouterr().out)["runs"]
    assert bench.call(*run, "--box", "bright", "--set", "detector.preset=deep") == 0
    (boxed,) = json.loads(capsys.readouterr().out)["runs"]
    assert boxed["box"] == "bright"
    assert boxed["box_settings"]["level"] == 150
    assert boxed["box_settings"]["correction"] == {"scale": 1.0, "dx": 0.0, "dy": 0.0}
    assert boxed["metrics"]["missed_faces"] > 0
    assert boxed["key"] != record["key"]
    assert boxed["timing"]["end_to_end"]["pictures_per_s"] > 0

    assert bench.call("score", boxed["key"], "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert again["metrics"]["rmse"] == pytest.approx(boxed["metrics"]["rmse"], rel=1e-4)

    assert bench.call("score", record["key"], boxed["key"], "--box", "truth,bright", "--json") == 0
    scores = json.loads(capsys.readouterr().out)["scores"]
    assert [(score["subject"], score["box"]) for score in scores] == [
        (key, box) for key in (record["key"], boxed["key"]) for box in ("truth", "bright")
    ]
    assert scores[1]["metrics"]["missed_faces"] == boxed["metrics"]["missed_faces"]
    assert scores[1]["end_to_end"]["ms"]["p50"] > 0
    assert list(Path(bench.folder, record["path"]).glob("boxed-bright-*.json"))
    truth, bright = scores[:2]
    assert bright["extra_rmse"] == pytest.approx(bright["metrics"]["rmse"] - truth["metrics"]["rmse"], rel=1e-3)
    assert bright["extra_rmse_ci"][0] < bright["extra_rmse"] < bright["extra_rmse_ci"][1]
    assert "extra_rmse" not in truth
    board = ["score", record["key"], boxed["key"], "--box", "truth,bright,truth", "--out", bench.folder / "board"]
    assert bench.call(*board) == 0
    said = capsys.readouterr().out
    for word in (record["key"][:8], boxed["key"][:8], "bright", f"{bright['extra_rmse']:+.3f}", "img/s"):
        assert word in said
    with (bench.folder / "board" / "models-by-boxes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["run"], row["trained_on"], row["box"]) for row in rows] == [
        (run["key"], run["box"], box) for run in (record, boxed) for box in ("truth", "bright")
    ]
    assert float(rows[1]["pictures_per_s"]) > 0
    assert rows[1]["box_settings"] == "level=100, preset=plain"

    picture, grid = bench.picture("two.png", 2), bench.folder / "drawn.png"
    assert bench.call("predict", record["key"], picture, "--detector", "bright", "--grid", picture) == 2
    assert "would replace it" in capsys.readouterr().err
    words = ["predict", record["key"], picture, "--detector", "bright", "--grid", grid]
    assert bench.call(*words, "--out", bench.folder / "p.csv", "--json") == 0
    (image,) = json.loads(capsys.readouterr().out)["images"]
    assert len(image["faces"]) == 2
    left, right = sorted(image["faces"], key=lambda face: face["box"][0])
    np.testing.assert_allclose(np.array(left["points"]) + np.array([100, 0]), right["points"], atol=1e-3)
    assert (np.array(left["points"]) >= 20).all()
    assert left["score"] == 0.9
    with (bench.folder / "p.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["face"] for row in rows] == ["0", "1"]
    assert float(rows[0]["x0"]) == image["faces"][0]["points"][0][0]
    assert cv2.imread(str(grid)).shape == (80, 200, 3)


def test_a_run_on_whole_frames_is_brought_to_look_as_in_training_everywhere(bench, capsys):
    run = ["run", "--model", "mean-shape", "--dataset", "patches", "--protocol", "smoke", "--json"]
    assert bench.call(*run, "--box", "frame") == 0
    (whole,) = json.loads(capsys.readouterr().out)["runs"]
    assert bench.call(*run) == 0
    (square,) = json.loads(capsys.readouterr().out)["runs"]

    picture = bench.picture("one.png")
    faces = {}
    for record in (whole, square):
        assert bench.call("predict", record["key"], picture, "--detector", "bright", "--json") == 0
        ((faces[record["key"]],),) = [image["faces"] for image in json.loads(capsys.readouterr().out)["images"]]
    np.testing.assert_allclose(faces[square["key"]]["square"], [30, 20, 40, 40], atol=1e-3)
    assert abs(faces[whole["key"]]["square"][2] - 40) > 1
    assert faces[whole["key"]]["box"] == faces[square["key"]]["box"]
    out = bench.folder / "points.csv"
    assert bench.call("predict", whole["key"], "--part", "test", "--detector", "bright", "--out", out) == 0
    capsys.readouterr()
    assert bench.call("score", whole["key"], "--box", "bright", "--json") == 0
    scored = json.loads(capsys.readouterr().out)
    assert bench.call("score", out, "--dataset", "patches", "--box", "bright", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert scored["metrics"]["rmse"] == pytest.approx(again["metrics"]["rmse"], rel=1e-3)
    assert bench.call("score", out, "--dataset", "patches", "--box", "truth,bright") == 2
    assert "with any box" in capsys.readouterr().err


def test_scoring_with_a_detector_searches_the_test_part_alone_and_keeps_what_it_costs(bench, capsys):
    run = ["run", "--model", "mean-shape", "--dataset", "patches", "--protocol", "smoke", "--json"]
    assert bench.call(*run) == 0
    (record,) = json.loads(capsys.readouterr().out)["runs"]
    assert record["box"] == "truth"
    assert bench.call("score", record["key"], "--box", "bright", "--json") == 0
    alone = json.loads(capsys.readouterr().out)
    searched = [len(np.load(path)) for path in (bench.folder / "data" / "found").glob("*/counts.npy")]
    assert searched == [alone["dataset"]["images"]]

    assert bench.call("score", record["key"], "--box", "truth,bright", "--json") == 0
    _, beside = json.loads(capsys.readouterr().out)["scores"]
    (path,) = Path(bench.folder, record["path"]).glob("boxed-bright-*.json")
    kept = json.loads(path.read_text())
    assert kept["extra_rmse"] == pytest.approx(beside["extra_rmse"], rel=1e-4)
    assert kept["extra_rmse_ci"] == pytest.approx(beside["extra_rmse_ci"], rel=1e-3)
    # without truth among the boxes the run's own recorded errors tell it
    assert alone["extra_rmse"] == pytest.approx(beside["extra_rmse"], rel=1e-3)


def test_a_setting_that_no_box_has_is_a_mistake(bench, capsys):
    assert bench.call("score", "any", "--box", "truth,bright", "--set", "detector.levle=150") == 2
    error = capsys.readouterr().err
    assert "Unknown detector setting 'levle'" in error
    assert "level" in error


@pytest.fixture
def mixed(bench):
    """A folder of three pictures of which one does not decode, and one whose pictures are all broken."""
    for name in ("mixed", "broken"):
        (bench.folder / name).mkdir()
    for name in ("a.png", "c.png"):
        bench.picture(name).rename(bench.folder / "mixed" / name)
    for path in ("mixed/b.png", "broken/a.png", "broken/b.png"):
        (bench.folder / path).write_bytes(b"\x89PNG and no more")
    return bench.folder / "mixed", bench.folder / "broken"


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


@pytest.mark.parametrize("detector", ["bright", ""])
def test_a_broken_picture_among_others_is_said_and_predict_goes_on(bench, mixed, capsys, detector):
    folder, broken = mixed
    run = ["run", "--model", "mean-shape", "--dataset", "patches", "--protocol", "smoke", "--json"]
    assert bench.call(*run) == 0
    (record,) = json.loads(capsys.readouterr().out)["runs"]
    words = ["predict", record["key"], *(["--detector", detector] if detector else [])]
    out, grid = bench.folder / "p.json", bench.folder / "grid.png"
    assert bench.call(*words, folder, "--out", out, "--grid", grid, "--json") == 1
    said = capsys.readouterr()
    page = json.loads(said.out)
    assert page == json.loads(out.read_text())
    images = {Path(image["id"]).name: image for image in page["images"]}
    assert set(images) == {"a.png", "b.png", "c.png"}
    assert "does not decode" in images["b.png"]["error"]
    assert set(images["a.png"]) == {"id", "faces" if detector else "points"}
    assert f"'{folder / 'b.png'}' does not decode" in said.err
    assert cv2.imread(str(grid)) is not None
    assert bench.call(*words, folder, "--out", bench.folder / "p.csv") == 1
    with (bench.folder / "p.csv").open() as file:
        assert [Path(row["id"]).name for row in csv.DictReader(file)] == ["a.png", "c.png"]
    capsys.readouterr()
    assert bench.call(*words, broken, "--json") == 2
    assert "None of the 2 pictures can be used" in capsys.readouterr().err
    assert bench.call(*words, broken / "a.png", "--json") == 2
    assert "does not decode" in capsys.readouterr().err


def test_more_pictures_than_are_read_at_once_come_out_in_order(bench, capsys, monkeypatch):
    monkeypatch.setattr("fkbench.cli.predict.AT_ONCE", 2)
    run = ["run", "--model", "mean-shape", "--dataset", "patches", "--protocol", "smoke", "--json"]
    assert bench.call(*run) == 0
    (record,) = json.loads(capsys.readouterr().out)["runs"]
    paths = [bench.picture(f"{i}.png", 1 + i) for i in range(5)]
    assert bench.call("predict", record["key"], *paths, "--json") == 0
    images = json.loads(capsys.readouterr().out)["images"]
    assert [image["id"] for image in images] == [str(path) for path in paths]
    widths = [np.ptp(np.array(image["points"])[:, 0]) for image in images]
    assert widths == sorted(widths)
    assert widths[4] == pytest.approx(5 * widths[0], rel=1e-3)  # each in a picture of its own width


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


def test_a_preset_given_now_is_not_undone_by_the_runs_own_settings(bench, capsys):
    run = ["run", "--model", "mean-shape", "--dataset", "patches", "--protocol", "smoke", "--json", "--box", "bright"]
    assert bench.call(*run) == 0
    (record,) = json.loads(capsys.readouterr().out)["runs"]
    assert record["box_settings"]["level"] == 100
    for words, level in (([], 100), (["preset=deep"], 150), (["preset=deep", "detector.level=120"], 120)):
        given = [word for each in words for word in ("--set", f"detector.{each.removeprefix('detector.')}")]
        assert bench.call("score", record["key"], *given, "--json") == 0
        assert json.loads(capsys.readouterr().out)["box_settings"]["settings"]["level"] == level


def test_a_run_on_a_detectors_boxes_predicts_by_the_same_detector(bench, capsys):
    run = ["run", "--model", "mean-shape", "--dataset", "patches", "--protocol", "smoke", "--json", "--box", "bright"]
    assert bench.call(*run, "--set", "detector.level=120") == 0
    (record,) = json.loads(capsys.readouterr().out)["runs"]
    registry = load_registry([bench.folder / "plugin.py"])
    loaded = load_run(
        RunStore(bench.folder / "runs").find(record["key"]), registry, torch.device("cpu"), bench.folder / "data"
    )
    assert loaded.open_detector("bright").settings["level"] == 120
    assert loaded.open_detector("bright", {"level": "140"}).settings["level"] == 140
