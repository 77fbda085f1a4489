"""The timing contract: latency, throughput and memory of a trained model, comparable between machines of one kind.

`docs/timing.md` is the contract in words. Imports torch; the commands import it when they need it.
"""

from fkbench.timing.macs import count_macs, count_parameters
from fkbench.timing.session import TIMING_VERSION, time_model

__all__ = ["TIMING_VERSION", "count_macs", "count_parameters", "time_model"]
