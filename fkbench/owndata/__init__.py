"""Own data without code: a dataset that a TOML file describes (docs/own-data.md).

`read_dataset` gives the `DatasetSpec` of such a file. Everything that it imports is standard library: `fkbench list`
reads it without numpy. The code that reads labels and pictures is imported when the data is opened.
"""

from __future__ import annotations

from fkbench.owndata.dataset import read_dataset

__all__ = ["read_dataset"]
