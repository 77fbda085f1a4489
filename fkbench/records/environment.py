"""What a run ran on, for provenance: versions, processor, commit. No user names, no paths, no package imported."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import fkbench
from fkbench.records.models import Environment
from fkbench.version import __version__

PACKAGES = (
    "torch",
    "torchvision",
    "timm",
    "numpy",
    "scipy",
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "pandas",
    "scikit-learn",
    "safetensors",
    "pydantic",
    "pluggy",
)
GIT_TIMEOUT_S = 10


def environment(threads: int | None = None) -> Environment:
    """The environment of this process.

    Args:
        threads: threads that the run computes with, where the caller has set them.
    """
    commit, dirty = git_state(Path(fkbench.__file__).resolve().parent.parent)
    return Environment(
        versions=package_versions(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        platform=f"{platform.system()} {platform.release()} {platform.machine()}",
        cpu=cpu_name(),
        cores=_cores(),
        commit=commit,
        dirty=dirty,
        threads=threads,
    )


def package_versions() -> dict[str, str]:
    """Distribution → version of what is installed among the packages that can change a result."""
    found = {"fkbench": __version__}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def cpu_name() -> str:
    """The processor's name as the system states it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def git_state(checkout: Path) -> tuple[str | None, bool | None]:
    """Commit and dirty flag of a checkout; (None, None) where the folder itself is none.

    A folder inside somebody else's repository (an environment in a project folder) does not count: that commit would
    say nothing about this code.
    """
    if not (checkout / ".git").exists():
        return None, None
    commit = _git(checkout, "rev-parse", "HEAD")
    status = _git(checkout, "status", "--porcelain") if commit else None
    return commit or None, None if status is None else bool(status)


def _git(checkout: Path, *arguments: str) -> str | None:
    # GIT_DIR and its kin, set where fkbench is called from a hook, would point to another repository.
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(checkout), *arguments],
            capture_output=True,
            text=True,
            timeout=GIT_TIMEOUT_S,
            env=surroundings | {"GIT_OPTIONAL_LOCKS": "0"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _cores() -> int | None:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()
