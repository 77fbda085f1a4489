"""Near-duplicates: what the rule finds, and what it leaves apart."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fkbench.datasets import duplicates
from fkbench.datasets.duplicates import components, find_duplicates, thumbnails
from fkbench.datasets.samples import Frames


def scene(seed, shape=(96, 96)):
    """A smooth random picture: structure that survives a thumbnail."""
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 12), np.uint8)
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)


def test_lighter_noisier_and_resized_copies_are_found():
    rng = np.random.default_rng(0)
    base = scene(1)
    lighter = np.clip(base * 0.6 + 50, 0, 255).astype(np.uint8)
    noisy = np.clip(base + rng.normal(0, 8, base.shape), 0, 255).astype(np.uint8)
    colour = cv2.cvtColor(cv2.resize(base, (150, 130)), cv2.COLOR_GRAY2RGB)
    frames = Frames.pack([scene(2), base, lighter, scene(3), noisy, colour])
    assert find_duplicates(frames).tolist() == [[1, 2], [1, 4], [1, 5], [2, 4], [2, 5], [4, 5]]


def test_different_pictures_and_negatives_are_not():
    frames = Frames.pack([*(scene(seed) for seed in range(40)), 255 - scene(0)])
    assert len(find_duplicates(frames)) == 0


def test_pictures_without_structure_are_similar_to_nothing():
    frames = Frames.pack([np.full((96, 96), 7, np.uint8), np.full((96, 96), 200, np.uint8), np.zeros((9, 9), np.uint8)])
    assert len(find_duplicates(frames)) == 0
    assert not thumbnails(frames).any()


@pytest.mark.parametrize("block", [1, 3, 5, 100])
def test_the_pairs_do_not_depend_on_the_blocks(monkeypatch, block):
    pictures = [scene(seed) for seed in (1, 2, 1, 3, 2, 1, 4, 3)]
    monkeypatch.setattr(duplicates, "_BLOCK", block)
    found = {tuple(pair) for pair in find_duplicates(Frames.pack(pictures)).tolist()}
    assert found == {(0, 2), (0, 5), (2, 5), (1, 4), (3, 7)}


def test_components_join_over_several_steps():
    pairs = np.array([[4, 5], [1, 2], [2, 5], [7, 8]], np.int64)
    assert components(pairs, 9).tolist() == [0, 1, 1, 3, 1, 1, 6, 7, 7]
    assert components(np.zeros((0, 2), np.int64), 3).tolist() == [0, 1, 2]


def test_no_pictures():
    assert find_duplicates(Frames.pack([])).shape == (0, 2)
