"""With which settings a detector finds faces for a run's model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fkbench.records import RunRecord
from fkbench.specs import DetectorSpec


def like_the_run(record: RunRecord, box: DetectorSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that the run's own box had, with those given now in their place; of another box, the latter alone.

    What the record states beside settings is left out, and settings that the detector no longer has.

    A preset that is given comes with its own values: those that the run had from another one do not stand in its way.
    """
    if box.name != record.box:
        return dict(given)
    own = {name: value for name, value in record.box_settings.items() if name in box.settings}
    if "preset" in given:
        of_presets = {name for values in box.presets.values() for name in values}
        own = {name: value for name, value in own.items() if name not in of_presets}
    return {**own, **given}
