"""What plugins declare about sources of face boxes; they find it in `fkbench.specs`. Standard library only, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fkbench.spec_base import Ref, Spec


@dataclass(frozen=True)
class Correction:
    """From a detector's convention to the reference square: its side is scale · √(w·h), its centre (dx·w, dy·h) away.

    Attributes:
        settings: under which detector settings it holds; those that are not named do not matter.
        provenance: what it was fitted on; empty for one that was not fitted.
    """

    scale: float = 1.0
    dx: float = 0.0
    dy: float = 0.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DetectorSpec(Spec):
    """A source of face boxes: `find` looks for faces in pictures, `boxes` makes them from the frame or the labels.

    Attributes:
        find: `find(**settings) -> finder`, called once; `finder(image) -> (M, 4) or (M, 5)` floats x, y, w, h and a
            score (higher is surer), in native pixels, for an image (H, W, 1 or 3) uint8, colour as RGB. A finder is
            used by one thread. Its attribute `weights`, if any, is the digest of the files that it loaded.
        boxes: in place of `find`, for oracles: `boxes(samples, settings) -> (N, 4)`, NaN where there is no face.
        role: `oracle` boxes are made from the frame or the labels, and are not scored as detectors.
        needs_labels: made from the true points, so not for pictures without them.
        jitter: greatest shift of centre and side, share of the side, by a hash of the id, when scoring.
        presets: values of the setting `preset` → settings that it stands for, where they are not given themselves.
        corrections: from its boxes to the reference square; the one whose settings fit best is used.
        files: settings that must name a file, and what that file is: not available before they do.
        licence: of code and weights.
        misses_drawn: why it finds no face in drawings (knows infrared or profiles alone); otherwise it is checked.
    """

    find: Ref | None = None
    boxes: Ref | None = None
    role: Literal["detector", "oracle"] = "detector"
    needs_labels: bool = False
    jitter: float = 0.0
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    corrections: tuple[Correction, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    licence: str = ""
    misses_drawn: str = ""

    def unavailable(self) -> str | None:
        """Why it cannot be used here with its default settings, or None."""
        wanted = [f"--set detector.{name}=FILE ({what})" for name, what in self.files.items()]
        return super().unavailable() or (f"needs {' and '.join(wanted)}" if wanted else None)
