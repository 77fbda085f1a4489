"""The modules of specs are light: `fkbench list` reads every spec and must not wait for anything heavy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import fkbench.specs
from fkbench import spec_detectors

FOLDER = Path(fkbench.specs.__file__).parent
LOADED = "import json, sys, fkbench.specs; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"


def test_specs_load_the_standard_library_alone():
    bare = json.loads(subprocess.check_output([sys.executable, "-c", LOADED.replace(", fkbench.specs", "")]))
    loaded = set(json.loads(subprocess.check_output([sys.executable, "-c", LOADED]))) - set(bare)
    assert "fkbench" in loaded
    assert loaded - {"fkbench"} <= set(sys.stdlib_module_names)


def test_modules_of_specs_stay_short():
    for file in (FOLDER / "specs.py", *FOLDER.glob("spec_*.py")):
        assert len(file.read_text(encoding="utf-8").splitlines()) < 300, file.name


def test_plugins_find_all_specs_in_one_module():
    assert fkbench.specs.DetectorSpec is spec_detectors.DetectorSpec
    assert fkbench.specs.Correction is spec_detectors.Correction
