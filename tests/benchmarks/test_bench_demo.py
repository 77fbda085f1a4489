"""The demo's pipeline (haar, dfk, points drawn) against the article's loop on one video of 640×480, in one process.

The video is made here from photographs and frames of real faces: pictures that slide over the canvas, one or two faces
at a time. The article's loop looks for faces in every picture and gives the net one face after the other. The demo runs
as it is installed, and with ONNX Runtime where that is there (`--runtime onnxruntime`). All read the video from the
disk and draw; none shows anything. They take turns; medians of the rounds, on the clock and of processor time, are
printed (`-s`) and kept in `extra_info`, and nothing is asserted about times. Targets: 25 frames/s on two cores, and
three times the article's loop.
"""

from __future__ import annotations

import statistics
import time
import zipfile
from functools import partial

import cv2
import numpy as np
import pytest
import torch

import fkbench
from fkbench.live.assembling import make_show, shared_cores
from fkbench.live.overlays import make_overlay
from fkbench.live.sources import open_source
from fkbench.registry import load_registry
from fkbench.runtimes import choose_runtimes, run_under

WIDE, HIGH, RATE = 640, 480, 25.0
SCENES, STEPS, ROUNDS = 8, 20, 3
TRAINING = {"dataset": {"count": "1000"}, "protocol": {"images_seen": "3000"}}


class Nowhere:
    """A sink that only counts."""

    paced = False

    def __init__(self):
        self.shown = 0

    def show(self, canvas, at):
        self.shown += 1
        return True

    def close(self):
        pass


def real_pictures(folder, count):
    """Photographs and every so many-th frame of the set of videos, BGR."""
    photos = [cv2.imread(str(folder / "photos" / name)) for name in ("obamas.jpg", "mona_lisa.jpg")]
    with zipfile.ZipFile(folder / "youtube68.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg") and "/test/" in f"/{name}")
        chosen = [names[i * len(names) // count] for i in range(count)]
        frames = [cv2.imdecode(np.frombuffer(archive.read(n), np.uint8), cv2.IMREAD_COLOR) for n in chosen]
    return photos, frames


def write_scenes(path, folder, scenes, steps):
    """Each scene: one photograph, or two frames side by side, sliding over a grey canvas."""
    photos, frames = real_pictures(folder, 2 * scenes)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), RATE, (WIDE, HIGH))
    if not writer.isOpened():
        pytest.skip("this OpenCV has no codec mp4v")
    for scene in range(scenes):
        shown = [photos[scene // 2 % 2]] if scene % 2 == 0 else frames[2 * scene : 2 * scene + 2]
        placed = [cv2.resize(p, None, fx=s, fy=s) for p in shown for s in [min(WIDE / len(shown), HIGH) / max(p.shape)]]
        for step in range(steps):
            canvas, left = np.full((HIGH, WIDE + 80, 3), 90, np.uint8), 40 + round(40 * np.sin(6.3 * step / steps))
            for picture in placed:
                high, wide = picture.shape[:2]
                top = (HIGH - high) // 2
                canvas[top : top + high, left : left + wide] = picture[:, : WIDE + 80 - left]
                left += WIDE // 2
            writer.write(np.ascontiguousarray(canvas[:, 40 : 40 + WIDE]))
    writer.release()
    return scenes * steps


def article_loop(path, net):
    """As the article's script does it: every picture grey, cascade 1.25 and 6, each face resized, over 255, through the
    net by itself, its points back as whole pixels, discs of radius 4. Frames and faces."""
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    capture, frames, faces = cv2.VideoCapture(str(path)), 0, 0
    while True:
        ok, picture = capture.read()
        if not ok:
            break
        grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), cv2.COLOR_RGB2GRAY)
        for x, y, w, h in cascade.detectMultiScale(grey, 1.25, 6):
            crop = cv2.resize(grey[y : y + h, x : x + w], (96, 96)) / 255
            net.eval()
            with torch.no_grad():
                points = net(torch.tensor(crop, dtype=torch.float32)[None, None])[0].reshape(-1, 2) * 48 + 48
            for px, py in points.tolist():
                cv2.circle(picture, (int(px * w / 96 + x), int(py * h / 96 + y)), 4, (0, 255, 0), -1)
            faces += 1
        frames += 1
    return frames, faces


def demo(path, run, detector):
    """The same video through the demo's pipeline, from opening the file. Frames and faces."""
    show = make_show(run, open_source(str(path)), detector, make_overlay("points", run.scheme), [Nowhere()])
    with shared_cores():
        show.play()
    return show.meter.shown, show.faces


def timed(way):
    """What a way gives, with seconds on the clock and of processor time."""
    began, worked = time.perf_counter(), time.process_time()
    frames, faces = way()
    return frames, faces, time.perf_counter() - began, time.process_time() - worked


def demos(run):
    """The run as it is, and under ONNX Runtime where that is installed."""
    usable = {spec.name for spec in choose_runtimes(load_registry(), "all", "cpu")[0]}
    with shared_cores():
        return {"demo": run} | {f"demo, {name}": run_under(run, name) for name in usable & {"onnxruntime"}}


@pytest.mark.realdata
def test_the_pipeline_against_the_articles_loop(benchmark, request, tmp_path, shared_data):
    whole = request.config.getoption("benchmark_enable")
    settings = TRAINING if whole else {"dataset": {"count": "60"}, "protocol": {"images_seen": "64"}}
    data, runs = tmp_path / "data", tmp_path / "runs"
    (record,) = fkbench.run(
        "dfk", "synthetic15", protocol="smoke", device="cpu", settings=settings, data=data, runs=runs
    )
    run = fkbench.load(record.path, device="cpu", data=data, runs=runs)
    detector = run.open_detector("haar")
    film = tmp_path / "film.mp4"
    frames = write_scenes(film, shared_data, *((SCENES, STEPS) if whole else (2, 6)))
    ways = {name: partial(demo, film, each, detector) for name, each in demos(run).items()}
    ways["article"] = partial(article_loop, film, run.predictor.net)
    found = {name: [] for name in ways}
    for turn in range(ROUNDS if whole else 1):
        for name in sorted(ways, reverse=bool(turn % 2)):
            found[name].append(timed(ways[name]))
    benchmark.pedantic(ways["demo"], rounds=1)
    seconds = {name: statistics.median(row[2] for row in rows) for name, rows in found.items()}
    work = {name: statistics.median(row[3] for row in rows) for name, rows in found.items()}
    print()
    for name, rows in found.items():
        rate, ratio = frames / seconds[name], seconds["article"] / seconds[name]
        less = work["article"] / work[name]
        benchmark.extra_info.update({name: rate, f"{name}: ratio": ratio, f"{name}: ratio of processor time": less})
        print(
            f"{name}: {rate:.1f} frames/s, {rows[0][1]} faces, {1000 * work[name] / frames:.1f} ms of processor time a "
            f"frame; {ratio:.2f} times the article's loop, {less:.2f} times by processor time"
        )
    assert all(rows[0][0] == frames for rows in found.values())
    assert found["demo"][0][1] >= frames / 2
