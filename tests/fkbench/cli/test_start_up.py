"""What answers at once must not import what is heavy."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"torch", "torchvision", "cv2", "pandas", "sklearn", "scipy", "numpy", "matplotlib", "pydantic", "safetensors"}
PROBE = """
import json, sys
from fkbench.cli.main import main
code = main(sys.argv[1:])
json.dump({"code": code, "heavy": sorted(set(%r) & set(sys.modules))}, sys.stderr)
"""


@pytest.mark.parametrize("words", [["--help"], ["list"], ["list", "models", "--json"], ["plugins"], ["run", "--help"]])
def test_nothing_heavy_is_imported(words):
    probe = subprocess.run(
        [sys.executable, "-c", PROBE % sorted(HEAVY), *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert json.loads(probe.stderr.splitlines()[-1]) == {"code": 0, "heavy": []}
    assert probe.stdout
