"""The one-euro filter against its definition, and what it is for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fkbench.live.smoothing import OneEuro, alpha


def by_the_paper(values, times, min_cutoff, beta, speed_cutoff):
    """Casiez, Roussel and Vogel 2012, algorithm 1, for one number at a time."""
    shown, speed, out = None, 0.0, []
    before = 0.0
    for value, at in zip(values, times, strict=True):
        if shown is None:
            shown = value
        else:
            rate = 1.0 / (at - before)

            def weight(cutoff, rate=rate):
                tau = 1.0 / (2 * math.pi * cutoff)
                return 1.0 / (1.0 + tau * rate)

            a = weight(speed_cutoff)
            speed = a * (value - shown) * rate + (1 - a) * speed
            a = weight(min_cutoff + beta * abs(speed))
            shown = a * value + (1 - a) * shown
        before = at
        out.append(shown)
    return out


def test_it_is_the_filter_of_the_paper():
    source = np.random.default_rng(3)
    values, times = source.normal(size=(40, 2)).cumsum(axis=0), np.cumsum(source.uniform(0.01, 0.1, 40))
    smooth = OneEuro(0.8, 0.3, 1.2)
    found = np.array([smooth(value, at) for value, at in zip(values, times, strict=True)])
    wanted = np.array([by_the_paper(column, times, 0.8, 0.3, 1.2) for column in values.T]).T
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_speed_is_measured_in_units():
    values, times = np.arange(20.0)[:, None] ** 1.5, np.arange(20) / 30
    one, two = OneEuro(unit=1.0), OneEuro(unit=50.0)
    for value, at in zip(values, times, strict=True):
        np.testing.assert_allclose(two(50 * value, at), 50 * one(value, at))


def test_still_points_tremble_less_and_moving_ones_hardly_lag():
    noise = np.random.default_rng(0).normal(0, 1.0, (300, 10))
    calm = OneEuro(unit=100.0)
    shown = np.array([calm(row, i / 30) for i, row in enumerate(noise)])
    assert shown[30:].std() < 0.6 * noise[30:].std()
    fast, follow = np.arange(60.0)[:, None] * 10, OneEuro(unit=100.0)  # three sides of the face a second
    lag = [float(row[0] - follow(row, i / 30)[0]) for i, row in enumerate(fast)]
    assert max(lag[30:]) < 20


def test_a_time_that_does_not_pass_changes_nothing():
    smooth = OneEuro()
    first = smooth(np.array([1.0]), 2.0)
    assert smooth(np.array([9.0]), 2.0) == first
    assert smooth(np.array([9.0]), 1.0) == first


@pytest.mark.parametrize(("cutoff", "wanted"), [(1e9, 1.0), (1e-9, 0.0)])
def test_the_weight_runs_from_nothing_to_all(cutoff, wanted):
    assert alpha(cutoff, 1 / 30) == pytest.approx(wanted, abs=1e-6)
