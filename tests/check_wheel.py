"""Builds the wheel, unpacks it away from the checkout, and imports every module of it there."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
IMPORT_ALL = """
import importlib, pkgutil, sys
from importlib import metadata
import fkbench, fkbench_plugins, fkbench_zoo
site = sys.argv[1]
names = []
for package in (fkbench, fkbench_plugins, fkbench_zoo):
    assert package.__file__.startswith(site), package.__file__
    names += [info.name for info in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
for name in names:
    importlib.import_module(name)
from fkbench.registry import load_registry
registry = load_registry()
assert not registry.failures, registry.failures
from fkbench.site.assets import script, style
assert script() and style()
assert all(registry.specs[kind] for kind in ("datasets", "models", "detectors", "runtimes")), registry.specs
print(f"wheel: {len(names)} modules imported away from the checkout")
"""


def main() -> int:
    """Build, unpack, import; the exit code of the import."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve()
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
        (wheel,) = folder.glob("*.whl")
        site = folder / "site"
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
            archive.extractall(site)
        for package in ("fkbench", "fkbench_plugins", "fkbench_zoo"):
            assert f"{package}/py.typed" in names, f"{package} lacks py.typed"
        # The unpacked wheel goes before the editable install, whose folders would win over PYTHONPATH otherwise.
        environment = {**os.environ, "PYTHONPATH": str(site)}
        command = [sys.executable, "-c", IMPORT_ALL, str(site)]
        return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
