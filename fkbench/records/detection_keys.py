"""Keys of results about detectors: hashes of what decides their numbers, computed from the pages themselves.

So a key can be held to its page wherever the page is read, and nobody can choose another one. Numbers count with the
six digits that pages have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fkbench.records.keys import plan_key
from fkbench.records.plain import canonical_json, plain, rounded
from fkbench.records.store import safe_name

FIRST_SCORING = (2, 1, 1)
"""Versions of the scoring of pages that do not state them."""


def detector_key(page: Mapping[str, Any]) -> str:
    """The key of a detector's page: of the detector, its settings, code, files and versions, its correction, the data.

    Args:
        page: JSON values; the scores need not be there yet.
    """
    detector, data, correction = page["detector"], page["dataset"], page["correction"]
    asked = {
        "detector": detector["name"],
        **{name: detector[name] for name in ("settings", "source", "weights", "versions")},
        "correction": {name: correction[name] for name in ("scale", "dx", "dy")},
        "dataset": data["name"],
        **{name: data[name] for name in ("fingerprint", "split", "split_version")},
        "most": page.get("most", 0),
        "scoring": page.get("scoring", FIRST_SCORING),
    }
    return plan_key(rounded(plain(asked)))


def detector_stem(page: Mapping[str, Any]) -> str:
    """`<detector>-<key>`: the name of the page's file, without its ending."""
    return f"{safe_name(page['detector']['name'])}-{detector_key(page)}"


def question_of(page: Mapping[str, Any]) -> str:
    """What a detector's result answers, however: the detector, its settings, the data. Its key has the rest, too."""
    data = page["dataset"]
    asked = [page["detector"]["name"], page["detector"]["settings"]]
    return canonical_json([*asked, *(data[name] for name in ("name", "split", "split_version", "fingerprint"))])


def boxed_stem(page: Mapping[str, Any]) -> str:
    """`boxed-<detector>-<8 digits>` of a run's scores with a detector's boxes: the same question, the same name.

    The digits are of the data, the split, the detector, its settings and its correction. The first version of a split
    goes without saying: pages of before do not state it.

    Args:
        page: JSON values; the scores need not be there yet.
    """
    data, box = page["dataset"], {"name": page["box"], **page["box_settings"]}
    asked = {"fingerprint": data["fingerprint"], "split": data["split"], "box": box}
    if data.get("split_version", 1) != 1:
        asked["split_version"] = data["split_version"]
    return f"boxed-{safe_name(page['box'])}-{plan_key(rounded(plain(asked)))[:8]}"
