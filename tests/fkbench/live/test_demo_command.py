"""`fkbench demo` from the command line: a small trained net, a detector in a file, a drawn video."""

from __future__ import annotations

import json
import threading
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pytest
from live_drawings import face, read_video, write_video

from fkbench.cli.main import main
from fkbench.live import sinks, sources
from fkbench.records import RunStore
from fkbench.registry import load_registry
from fkbench.runner.plan import Request, find_model, find_protocol
from fkbench.runner.requests import Runner
from fkbench.specs import DatasetSpec

PLUGIN = '''
import cv2
import numpy as np
import fkbench
from torch import nn

@fkbench.model("tinynet", input=(1, 32))
def tinynet(channels: int, size: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(channels * 64, outputs))

@fkbench.detector("discs")
def discs():
    """The bright blobs."""
    def find(image):
        count, _, stats, _ = cv2.connectedComponentsWithStats((image[:, :, 0] > 128).astype(np.uint8))
        return stats[1:, :4].astype(float)
    return find
'''


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Plugin file, runs folder and key of a net that was trained for a moment."""
    folder = tmp_path_factory.mktemp("demo")
    plugin = folder / "discs.py"
    plugin.write_text(PLUGIN)
    registry = load_registry([plugin])
    request = Request(
        model=find_model(registry, "tinynet"),
        dataset=registry.get(DatasetSpec, "synthetic15"),
        protocol=find_protocol("smoke"),
        settings={"dataset": {"count": "60"}, "protocol": {"images_seen": "320", "batch": "16"}},
        device="cpu",
    )
    (record,) = Runner(registry, folder / "data", RunStore(folder / "runs")).run(request)
    return plugin, folder, record.key


@pytest.fixture
def film(tmp_path):
    return write_video(tmp_path / "film.mp4", [face(50 + 2 * i, 60, radius=25) for i in range(14)])


@pytest.fixture
def demo(trained, capfd):
    """Runs the command: exit code, stdout, stderr."""
    plugin, folder, key = trained

    def call(*words, run=key, detector="discs"):
        found = ["--detector", detector] if detector else []
        where = ["--plugin", str(plugin), "--data", str(folder / "data"), "--runs", str(folder / "runs")]
        code = main([*where, "demo", "--run", run, *found, "--device", "cpu", *map(str, words)])
        said = capfd.readouterr()
        assert "Traceback" not in said.err
        return code, said.out, said.err

    return call


def test_a_film_becomes_a_film_and_a_summary(demo, film, tmp_path):
    out = tmp_path / "drawn.mp4"
    code, said, told = demo("--source", film, "--out", out, "--every", 4, "--smooth", "--json")
    assert code == 0
    assert f"The end of '{film}'." in told
    facts = json.loads(said)
    assert (facts["model"], facts["scheme"], facts["ended"]) == ("tinynet", "face15", "end")
    assert (facts["frames"], facts["dropped"], facts["detections"], facts["size"]) == (14, 0, 4, [160, 120])
    assert facts["frames_with_faces"] >= 4
    assert set(facts["latency_ms"]) == {"p50", "p90"}
    assert facts["fps"] > 0
    drawn, plain = read_video(out), read_video(film)
    assert len(drawn) == 14
    assert np.abs(drawn[0].astype(int) - plain[0]).max() > 60


@pytest.mark.parametrize("overlay", ["mesh", "boxes", "sunglasses", "sunglasses-fixed"])
def test_every_overlay_stops_where_it_is_told_to(demo, film, tmp_path, overlay):
    code, said, told = demo(
        "--source", film, "--out", tmp_path / "o.avi", "--overlay", overlay, "--max-frames", 3, "--plain"
    )
    assert code == 0
    assert "Stopped after 3 frames, as asked." in told
    assert "tinynet with discs: 3 frames, faces in 3 of them" in said


def test_a_film_into_a_file_alone_carries_no_frame_rate(demo, film, tmp_path):
    pictures = {}
    for name, words in (("file", []), ("plain", ["--plain"]), ("served", ["--serve", "--port", 0, "--fps", 200])):
        out = tmp_path / f"{name}.avi"
        assert demo("--source", film, "--out", out, *words)[0] == 0
        pictures[name] = read_video(out)[-1].astype(int)
    assert (pictures["file"] == pictures["plain"]).all()
    assert (pictures["served"] != pictures["plain"]).any()


@pytest.mark.parametrize("every", [0, 2])
def test_a_folder_is_looked_through_picture_by_picture(demo, tmp_path, every):
    for i in range(3):
        cv2.imwrite(str(tmp_path / f"{i}.png"), face(50 + 20 * i, 60, radius=25))
    code, said, _ = demo("--source", tmp_path, "--out", tmp_path / "drawn.mp4", "--every", every, "--json")
    facts = json.loads(said)
    assert (code, facts["kind"], facts["detections"], facts["faces"]) == (0, "folder", 3, 3)


def test_a_broken_picture_of_a_folder_is_named_and_the_others_are_shown(demo, tmp_path):
    for name in ("a", "c"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), face(50, 60, radius=25))
    (tmp_path / "b.png").write_bytes(b"\x89PNG and no more")
    code, said, told = demo("--source", tmp_path, "--out", tmp_path / "drawn.avi", "--json")
    assert (code, json.loads(said)["frames"]) == (1, 2)
    assert told.count("b.png") == 1
    assert "1 of 3 pictures could not be used" in told
    assert demo("--source", tmp_path, "--out", tmp_path / "one.avi", "--max-frames", 1)[0] == 0
    (tmp_path / "a.png").unlink()
    (tmp_path / "c.png").unlink()
    code, _, told = demo("--source", tmp_path, "--out", tmp_path / "none.avi")
    assert code == 2
    assert "b.png" in told


def test_a_browser_sees_the_stream(demo, tmp_path, monkeypatch):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for i in range(2):
        cv2.imwrite(str(pictures / f"{i}.png"), face(50 + 20 * i, 60, radius=25))
    from fkbench.live.server import Served

    seen = []

    def look(address):
        with urllib.request.urlopen(address + "frame.jpg", timeout=30) as answer:
            seen.append(cv2.imdecode(np.frombuffer(answer.read(), np.uint8), cv2.IMREAD_COLOR).shape)

    original = Served.show

    def watched(self, canvas, at):
        going = original(self, canvas, at)
        looker = threading.Thread(target=look, args=(self.address,))
        looker.start()
        looker.join(30)
        return going

    monkeypatch.setattr(Served, "show", watched)
    code, _, told = demo("--source", pictures, "--serve", "--port", 0, "--fps", 200)
    assert code == 0
    assert "Open http://127.0.0.1:" in told
    assert seen == [(120, 160, 3)] * 2


def test_bad_input_ends_in_a_line_and_exit_code_2(demo, film, tmp_path, monkeypatch):
    (tmp_path / "broken.mp4").write_bytes(bytes(300))
    out = tmp_path / "o.mp4"
    opened = sources._opened
    monkeypatch.setattr(sources, "_opened", lambda *given: None if given == (0,) else opened(*given))
    monkeypatch.setattr(sinks, "framework", lambda: "")
    cases = [
        (["--source", film], "Nowhere to show it"),
        (["--source", tmp_path / "none.mp4", "--out", out], "There is no source"),
        (["--source", tmp_path / "broken.mp4", "--out", out], "cannot be read as a video"),
        (["--out", out], "Camera 0 cannot be opened"),
        (["--source", film, "--window"], "This OpenCV is headless"),
        (["--source", film, "--out", film], "would replace it"),
        (["--source", film, "--serve", "--port", 80000], "--port"),
        (["--source", film, "--out", tmp_path / "o.gif"], "does not end like a video"),
        (["--source", film, "--out", out, "--overlay", "hats"], "Unknown --overlay 'hats'"),
        (["--source", film, "--out", out, "--every", -1], "--every"),
        (["--source", film, "--out", out, "--set", "nonsense=1"], "nonsense"),
        (["--source", film, "--serve", "--host", "203.0.113.7"], "Cannot serve on 203.0.113.7"),
    ]
    for words, line in cases:
        code, said, told = demo(*words)
        assert (code, said) == (2, ""), words
        assert line in told
    assert demo("--source", film, "--out", out, run="nothing")[0] == 2
    assert demo("--source", film, "--out", out, detector="nobody")[0] == 2
    assert not out.exists()


def test_an_unfinished_run_is_a_clear_line(demo, trained, film, tmp_path):
    _plugin, folder, key = trained
    (source,) = folder.glob(f"runs/*/*/{key}/record.json")
    page = json.loads(source.read_text()) | {"key": "f" * 16, "status": "failed", "reason": "out of luck"}
    target = source.parent.with_name("f" * 16) / "record.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(page))
    code, _, told = demo("--source", film, "--out", tmp_path / "o.mp4", run="f" * 16)
    assert code == 2
    assert "failed, out of luck" in told


def test_a_lost_camera_is_exit_code_1_and_the_film_so_far_is_kept(demo, film, tmp_path, monkeypatch):
    capture = sources.open_source(str(film))
    capture.about = sources.About("0", "camera", True, 20.0)
    monkeypatch.setattr(sources, "_camera", lambda number: capture)
    out = tmp_path / "o.mp4"
    code, said, told = demo("--source", "0", "--out", out, "--json")
    assert code == 1
    assert "The camera '0' gives no more pictures" in told
    assert json.loads(said)["ended"] == "lost"
    assert Path(out).is_file()


def test_ctrl_c_keeps_the_film_so_far(demo, film, tmp_path, monkeypatch):
    original, shown = sinks.VideoFile.show, []

    def interrupted(self, canvas, at):
        shown.append(at)
        if len(shown) == 5:
            raise KeyboardInterrupt
        return original(self, canvas, at)

    monkeypatch.setattr(sinks.VideoFile, "show", interrupted)
    code, _said, told = demo("--source", film, "--out", tmp_path / "o.mp4")
    assert code == 130
    assert "Stopped after 4 frames." in told
    assert len(read_video(tmp_path / "o.mp4")) == 4


def test_without_a_detector_one_that_works_is_taken_and_named(demo, film, tmp_path):
    code, _said, told = demo("--source", film, "--out", tmp_path / "o.mp4", "--max-frames", 1, detector="")
    assert code == 0
    assert "Faces are found by " in told
