"""A run whose model finds the bright disc that plays the face in the drawn pictures of these tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from fkbench.runner.loading import LoadedRun
from fkbench.schemes import FACE15

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # FFmpeg reads it once, when the first video is opened

if str(Path(__file__).parent) not in sys.path:
    sys.path.append(str(Path(__file__).parent))

from live_drawings import DiscModel


@pytest.fixture
def run():
    """A loaded run with the disc model, of 64-pixel grey views and 15 points."""
    record, model = (
        SimpleNamespace(key="0" * 16, box="frame", box_settings={}),
        SimpleNamespace(name="disc", input=(1, 64)),
    )
    return LoadedRun(record, model, DiscModel(), FACE15, None)
