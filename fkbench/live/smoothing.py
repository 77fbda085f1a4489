"""The one-euro filter: still points do not tremble, moving ones do not lag.

Source: G. Casiez, N. Roussel, D. Vogel: "1 € Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
Interactive Systems", CHI 2012, pages 2527-2530.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

MIN_CUTOFF = 1.5
BETA = 6.0
"""Hz per side of the face a second: at one side a second the cut-off lies at 7.5 Hz."""
SPEED_CUTOFF = 1.0


def alpha(cutoff: Values | float, seconds: float) -> Values:
    """Weight of the new value in a first-order low-pass filter: 1 / (1 + τ / T) with τ = 1 / (2π · cut-off).

    Args:
        cutoff: Hz.
        seconds: T since the value before.
    """
    tau = 1.0 / (2.0 * math.pi * np.asarray(cutoff, np.float64))
    return np.asarray(1.0 / (1.0 + tau / seconds))


class OneEuro:
    """The filter for an array of values, each by itself.

    Args:
        min_cutoff: Hz at rest (the paper's f_c,min): lower is stiller.
        beta: by how much the cut-off rises with the speed: higher lags less.
        speed_cutoff: Hz of the low-pass filter on the speed.
        unit: what one unit of speed is in the values (the size of the face, so that settings fit any picture).
    """

    def __init__(
        self,
        min_cutoff: float = MIN_CUTOFF,
        beta: float = BETA,
        speed_cutoff: float = SPEED_CUTOFF,
        unit: float = 1.0,
    ) -> None:
        self.min_cutoff, self.beta, self.speed_cutoff, self.unit = min_cutoff, beta, speed_cutoff, unit
        self._value: Values | None = None
        self._speed: Values | None = None
        self._at = 0.0

    def __call__(self, values: Values, at: float) -> Values:
        """The filtered values.

        Args:
            values: any shape, always the same.
            at: seconds; a time not after the one before changes nothing.
        """
        if self._value is None or self._speed is None:
            self._value, self._speed, self._at = values.copy(), np.zeros_like(values), at
            return values.copy()
        seconds = at - self._at
        if seconds <= 0:
            return self._value.copy()
        speed = (values - self._value) / (seconds * self.unit)
        weight = alpha(self.speed_cutoff, seconds)
        self._speed = weight * speed + (1 - weight) * self._speed
        weight = alpha(self.min_cutoff + self.beta * np.abs(self._speed), seconds)
        self._value, self._at = weight * values + (1 - weight) * self._value, at
        return self._value.copy()
