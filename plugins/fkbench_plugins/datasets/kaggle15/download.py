"""Kaggle hands its data to people who have accepted its rules, through their own account."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

from fkbench.datasets.store import Store
from fkbench.errors import FkbenchError

from . import COMPETITION

PAGE = f"https://www.kaggle.com/competitions/{COMPETITION}"
BY_HAND = (
    f"Sign in at {PAGE}/data, accept the rules, press Download All, then "
    f"`fkbench data import kaggle15 --from {COMPETITION}.zip`."
)


def acquire(store: Store, offline: bool) -> Path:
    """Fetch the competition's files with kagglehub, which looks for the user's account by itself.

    Raises:
        FkbenchError: offline, kagglehub is not installed, no account, or the rules are not accepted.
    """
    if offline:
        raise FkbenchError("Kaggle's data would be downloaded, and --offline forbids it.", BY_HAND)
    if importlib.util.find_spec("kagglehub") is None:
        raise FkbenchError(
            "Downloading from Kaggle needs the package kagglehub: pip install 'fkbench[kaggle]'.", f"Or: {BY_HAND}"
        )
    kagglehub = importlib.import_module("kagglehub")
    try:
        return Path(kagglehub.competition_download(COMPETITION))
    except Exception as error:  # kagglehub's own errors are not part of its documented interface
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200].rstrip(".")
        raise FkbenchError(
            f"Kaggle did not hand out the data: {reason}.",
            f"It needs your Kaggle API token (kaggle.com/settings) and the rules accepted: {PAGE}/rules. Or: {BY_HAND}",
        ) from error
