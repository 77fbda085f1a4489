"""Landmark schemes spelled out in TOML."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from fkbench.errors import FkbenchError
from fkbench.owndata.landmarks import read_scheme
from fkbench.schemes import FACE15, scheme_identity

DOCS = Path(__file__).parents[3] / "docs" / "own-data.md"


def scheme(text: str):
    return read_scheme(tomllib.loads(text), "'x.toml'", "faces")


def test_a_built_in_scheme_by_name():
    assert read_scheme("face15", "'x.toml'", "faces") is FACE15


def test_names_numbers_and_ranges_all_mean_points():
    found = scheme("""
        points = ["a", "b", "3-4", "d", "e", "f"]
        flip_pairs = [["a", 1], [3, "e"]]
        outlines = [["0-2", "f"], "3-4"]
        [regions]
        one = ["a", "3-5"]
        [normalisers]
        inter_ocular = [["a", "b"], "f"]
    """)
    assert found.flip_pairs == ((0, 1), (3, 4))
    assert found.regions == {"one": (0, 3, 4, 5), "other": (1, 2)}
    assert found.lines == ((0, 1, 2, 5), (2,))  # a point may be called like a range
    assert found.normalisers == {"inter_ocular": ((0, 1), (5,))}
    assert (found.name, found.summary) == ("faces-6", "6 points of faces")
    assert found.flip_order() == [1, 0, 2, 4, 3, 5]


def test_names_with_left_and_right_make_the_pairs():
    found = scheme('points = ["mouth_left", "nose", "right_eye", "mouth_right", "left_eye"]')
    assert found.flip_pairs == ((0, 3), (2, 4))
    assert found.regions == {"points": (0, 1, 2, 3, 4)}


def test_a_number_of_points_names_them_by_number():
    found = scheme('points = 98\nflip_pairs = [[0, 32]]\nnormalisers = {inter_ocular = ["60", 72]}')
    assert found.points[97] == "97"
    assert found.normalisers["inter_ocular"] == ((60,), (72,))


def test_what_decides_numbers_is_part_of_the_identity_and_looks_are_not():
    base = 'points = ["left_a", "right_a"]\n'
    identity = scheme_identity(scheme(base))
    assert identity == scheme_identity(scheme(base + 'summary = "other"\nregions = {x = ["left_a"]}'))
    assert identity != scheme_identity(scheme(base + "flip_pairs = []"))
    assert identity != scheme_identity(scheme(base + 'normalisers = {d = ["left_a", "right_a"]}'))
    assert scheme_identity(FACE15) == scheme_identity("face15") == "face15"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no 'points'"),
        ("points = []", "has 0 names"),
        ("points = 0", "must be from 1 to 2000"),
        ("points = true", "must be a list"),
        ('points = ["a", 1]', "must be a list of names"),
        ('points = ["a", "a"]', "has 'a' twice"),
        ('points = ["a", "b"]', "has no 'flip_pairs', and its points are not named left and right"),
        ('points = ["left_a", "b"]', "'left_a' has no counterpart"),
        ('points = ["a", "b"]\nflip_pairs = [["a", "c"]]', r"Unknown point in 'flip_pairs' .* 'c'"),
        ('points = ["a", "b"]\nflip_pairs = [["a", 2]]', "names the point 2.*Points are 0 to 1"),
        ('points = ["a", "b"]\nflip_pairs = [["a", -1]]', "names the point -1"),
        ('points = ["a", "b"]\nflip_pairs = [["a"]]', r"has \['a'\].*Pairs look like"),
        ('points = ["a", "b"]\nflip_pairs = [["a", "b"], ["b", "a"]]', "pairs 'a' more than once|pairs 'b' more"),
        ('points = ["a", "b"]\nflip_pairs = [["a", "a"]]', "or with itself"),
        ('points = 3\nflip_pairs = []\nregions = {x = "0-1", y = [1]}', "has the point '1' in x and y"),
        ('points = 3\nflip_pairs = []\nregions = {x = "2-1"}', "has the range '2-1'"),
        ("points = 3\nflip_pairs = []\nregions = {x = []}", "has an empty list"),
        ('points = 3\nflip_pairs = []\noutlines = [["0-7"]]', "names the point 7"),
        ("points = 3\nflip_pairs = []\nnormalisers = {bbox = [0, 1]}", "has the name 'bbox'"),
        ("points = 3\nflip_pairs = []\nnormalisers = {d = [0]}", "must be two ends"),
        ("points = 3\nflip_pairs = []\nnormalisers = {d = [1, 1]}", "has one end twice"),
        ("points = 2\nflip_pairs = []\nlayout = [[0, 0]]", "has 1 places for 2 points"),
        ("points = 1\nflip_pairs = []\nlayout = [[0, 2]]", r"has the place \[0, 2\]"),
        ('points = 1\nflip_pairs = []\nname = "face68"', "name of the built-in scheme 'face68'"),
        ('points = 1\nflip_pairs = []\nname = "a/b"', "'name' .* must be made of letters"),
        ("points = 1\nflipping = []", "Unknown key in .*: 'flipping'. Did you mean flip_pairs"),
    ],
)
def test_a_scheme_that_does_not_hold_together_is_named(text, words):
    with pytest.raises(FkbenchError, match=words):
        scheme(text)
