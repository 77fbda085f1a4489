"""`fkbench show` of datasets, here or not."""

from __future__ import annotations

import pytest

from fkbench.errors import DataMissingError
from fkbench.schemes import FACE15


def test_dataset_that_is_here(call, answer):
    found = answer(call("faces", "--json"))
    assert found["fingerprint"] == "sha256:abc"
    assert found["official"] == {"labels": True, "pixels": False}
    assert found["counts"]["labelled"] == 40
    assert found["counts"]["groups"] == 20
    assert found["counts"]["with_every_point"] == 33
    assert found["counts"]["convention"] == {"four": 10, "full": 30}
    assert found["missing"][FACE15.points[3]] == 7
    assert sum(found["missing"].values()) == 7
    assert found["sizes"]["width"] == [96, 96, 96]
    assert found["values"]["pixels"][::2] == [0.0, 255.0]
    assert 2 <= found["values"]["x"][0] < found["values"]["x"][1] < found["values"]["x"][2] <= 90
    assert [split["name"] for split in found["splits"]] == ["identity", "random"]
    for split in found["splits"]:
        assert sum(split["counts"].values()) == 40
    identity, random = (split["leaks"] for split in found["splits"])
    assert (identity["leaky"], random["leaky"]) == (False, True)
    assert random["groups"]["both_sides"] == 10


def test_dataset_for_people(call):
    shown = call("faces").stdout
    for words in (
        "CC0",
        "identity",
        "leaky",
        FACE15.points[3],
        "sha256:abc",
        "not the official ones",
        "dataset.count",
        "10 of 20 on both sides",
    ):
        assert words in shown


def test_dataset_that_is_not_here_shows_the_light_part_and_the_way(call, answer, tmp_path):
    result = call("gone", "--json")
    found = answer(result)
    assert found["available"] is False
    assert "counts" not in found
    assert "Ask its owner." in result.stderr
    assert "Ask its owner." in call("gone").stdout
    with pytest.raises(DataMissingError):
        call("gone", "--picture", tmp_path / "x.png")


def test_dataset_picture(call, tmp_path):
    import cv2

    call("faces", "--picture", tmp_path / "faces.png")
    assert cv2.imread(str(tmp_path / "faces.png")).shape[1] > 6 * 192
