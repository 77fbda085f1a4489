"""A matrix of runs, each in a process of its own: what one of them does to itself does not reach the others.

The calling process imports no torch and no plugin's net: it plans through one worker (`planning`), then starts one
worker per run (`running`), and writes the records of those that could not write their own (`outcomes`).
"""

from __future__ import annotations

from fkbench.sweep.files import read_sweep
from fkbench.sweep.matrix import Cell, Matrix, cells_of, duration, span
from fkbench.sweep.outcomes import Outcome
from fkbench.sweep.planning import Planned, plan, slip
from fkbench.sweep.processes import Options
from fkbench.sweep.running import Sweep

__all__ = [
    "Cell",
    "Matrix",
    "Options",
    "Outcome",
    "Planned",
    "Sweep",
    "cells_of",
    "duration",
    "plan",
    "read_sweep",
    "slip",
    "span",
]
