"""Finished runs and untrained nets under each runtime: speed by the timing contract, and what it costs in precision.

Imports torch; the commands import it when they need it.
"""

from fkbench.runtimes.again import Again, check_again, time_again
from fkbench.runtimes.choosing import choose_runtimes, why_not
from fkbench.runtimes.predicting import run_under
from fkbench.runtimes.subjects import Timed, open_model, open_run
from fkbench.runtimes.timing import time_runtime
from fkbench.runtimes.training import time_training

__all__ = [
    "Again",
    "Timed",
    "check_again",
    "choose_runtimes",
    "open_model",
    "open_run",
    "run_under",
    "time_again",
    "time_runtime",
    "time_training",
    "why_not",
]
