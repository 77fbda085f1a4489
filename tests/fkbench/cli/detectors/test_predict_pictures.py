"""`fkbench predict` on pictures: every face that a detector finds, many pictures, and broken ones."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest


def test_every_face_of_a_picture_is_predicted(bench, train, capsys):
    record = train()
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
    rows = bench.rows("p.csv")
    assert [row["face"] for row in rows] == ["0", "1"]
    assert float(rows[0]["x0"]) == image["faces"][0]["points"][0][0]
    assert cv2.imread(str(grid)).shape == (80, 200, 3)


@pytest.mark.parametrize("detector", ["bright", ""])
def test_a_broken_picture_among_others_is_said_and_predict_goes_on(bench, train, mixed, capsys, detector):
    folder, broken = mixed
    record = train()
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
    assert [Path(row["id"]).name for row in bench.rows("p.csv")] == ["a.png", "c.png"]
    capsys.readouterr()
    assert bench.call(*words, broken, "--json") == 2
    assert "None of the 2 pictures can be used" in capsys.readouterr().err
    assert bench.call(*words, broken / "a.png", "--json") == 2
    assert "does not decode" in capsys.readouterr().err


def test_more_pictures_than_are_read_at_once_come_out_in_order(bench, train, capsys, monkeypatch):
    monkeypatch.setattr("fkbench.cli.predict.AT_ONCE", 2)
    record = train()
    paths = [bench.picture(f"{i}.png", 1 + i) for i in range(5)]
    assert bench.call("predict", record["key"], *paths, "--json") == 0
    images = json.loads(capsys.readouterr().out)["images"]
    assert [image["id"] for image in images] == [str(path) for path in paths]
    widths = [np.ptp(np.array(image["points"])[:, 0]) for image in images]
    assert widths == sorted(widths)
    assert widths[4] == pytest.approx(5 * widths[0], rel=1e-3)  # each in a picture of its own width
