"""The kit finds what is wrong with a predictor: for each check one that fails it, and no other."""

from __future__ import annotations

import numpy as np
import pytest

from fkbench.specs import ModelSpec
from fkbench.testing import check_model


class Mean:
    """A good predictor, to be spoilt: the mean of the labelled points, moved by the picture's brightness."""

    def __init__(self) -> None:
        self.mean = np.zeros((0, 2), np.float32)

    def fit(self, images, points, valid):
        weight = valid[..., None]
        self.mean = ((np.where(weight, points, 0)).sum(0) / weight.sum(0).clip(1)).astype(np.float32)

    def predict(self, images):
        brightness = images.mean(axis=(1, 2, 3), dtype=np.float32) / 255
        return (self.mean[None] + brightness[:, None, None]).astype(np.float32)

    def state(self):
        return {"mean": self.mean}

    def restore(self, state):
        self.mean = state["mean"]


class NoState(Mean):
    state = None


class Sums(Mean):
    def fit(self, images, points, valid):
        self.mean = np.nanmean(points, axis=0)

    def predict(self, images):
        return super().predict(images).sum(axis=2)


class Fifteen(Mean):
    def predict(self, images):
        return super().predict(images)[:, :15]


class Grey(Mean):
    def fit(self, images, points, valid):
        images.reshape(len(images), images.shape[2] * images.shape[3])
        super().fit(images, points, valid)


class Filled(Mean):
    def fit(self, images, points, valid):
        self.mean = np.nanmean(points, axis=0).astype(np.float32)


class Named(Mean):
    def state(self):
        return {"mean": self.mean, "kind": "mean"}


class Forgetful(Mean):
    def __init__(self):
        super().__init__()
        self.shift = 0.0

    def fit(self, images, points, valid):
        super().fit(images, points, valid)
        self.shift = 3.0

    def predict(self, images):
        return super().predict(images) + np.float32(self.shift)


class Company(Mean):
    def predict(self, images):
        return super().predict(images) - images.mean(dtype=np.float32)


class Random(Mean):
    def fit(self, images, points, valid):
        super().fit(images, points, valid)
        self.mean = self.mean + np.random.default_rng().normal(size=self.mean.shape).astype(np.float32)


class Missing(Random):
    """Draws from numpy's global stream, so that it can be compared with itself."""


BAD = {
    "no_state": (NoState, "builds", "has no state"),
    "sums": (Sums, "builds", "gives float32 (40, 15)"),
    "fifteen": (Fifteen, "points", "shape (40, 68, 2)"),
    "grey": (Grey, "channels", "test_kit_on_predictors.py, line"),
    "filled": (Filled, "missing", "`valid` before at `points`"),
    "named": (Named, "state", "no array of numbers: kind"),
    "forgetful": (Forgetful, "state", "answers otherwise"),
    "company": (Company, "batch", "depends on the others"),
}


def findings(build, **fields):
    spec = ModelSpec(name="mean", summary="a mean", build=build, input=(1, 24), kind="predictor", **fields)
    return {f.check: (f.status, f"{f.message} {f.remedy}") for f in check_model(spec)}


def test_a_good_predictor_passes_everything():
    assert {status for status, _ in findings(Mean, deterministic=True).values()} == {"passed"}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_predictor_fails_the_check_that_is_for_it_and_no_other(name):
    build, check, words = BAD[name]
    found = findings(build, deterministic=True)
    assert {name for name, (status, _) in found.items() if status == "failed"} == {check}, found
    assert words in found[check][1]


def test_chance_is_allowed_where_it_is_stated():
    found = findings(Random)
    assert found["seeds"] == ("skipped", "not stated as deterministic=True ")
    assert findings(Random, deterministic=True)["seeds"][0] == "failed"
