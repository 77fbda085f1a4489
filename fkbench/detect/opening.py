"""Detectors opened for use: settings resolved, files loaded once, every answer checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fkbench.datasets.access import resolve_settings
from fkbench.datasets.store import Store
from fkbench.detect.correction import choose_correction, corrected
from fkbench.detect.found import NOTHING, BoxArray, Found, as_found
from fkbench.detect.pictures import Image, as_picture
from fkbench.errors import FkbenchError
from fkbench.specs import Correction, DetectorSpec, resolve


@dataclass(frozen=True)
class OpenDetector:
    """A detector that is ready. Its files are loaded; it must be used by one thread at a time.

    Attributes:
        settings: as resolved, all of them.
        correction: from its boxes to the reference square.
    """

    spec: DetectorSpec
    settings: Mapping[str, Any]
    correction: Correction
    finder: Callable[[Any], Any]

    def find(self, image: Image) -> Found:
        """Every face of one picture, as the detector draws its boxes.

        Args:
            image: (H, W) or (H, W, C) uint8 or uint16, colour as RGB; an empty one has no faces.

        Raises:
            FkbenchError: it is no picture, or the detector fails on it.
        """
        picture = as_picture(image)
        if not picture.size:
            return NOTHING
        try:
            answer = self.finder(picture)
        except FkbenchError:
            raise
        except Exception as error:
            size = f"{picture.shape[1]}×{picture.shape[0]} pixels"
            said = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            raise FkbenchError(
                f"The detector '{self.spec.name}' fails on a picture of {size}: {said}.", "--debug shows where."
            ) from error
        return as_found(answer, self.spec.name)

    def squares(self, found: Found) -> BoxArray:
        """(M, 4) squares in the convention of the reference square, to be cut out for a model."""
        return corrected(found.boxes, self.correction)

    @property
    def weights(self) -> str:
        """Digest of the files that the finder loaded, where it tells."""
        return str(getattr(self.finder, "weights", ""))


def detector_settings(spec: DetectorSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting with its value: as given, else the preset's, else the default.

    Raises:
        UnknownNameError: an unknown setting or preset.
        FkbenchError: a bad value, or a file that must be named and is not.
    """
    chosen = resolve_settings("detector", spec.settings, given)
    preset = spec.presets.get(str(chosen.get("preset", "")), {})
    return {**chosen, **{name: value for name, value in preset.items() if name not in given}}


def check_detector_usable(spec: DetectorSpec, settings: Mapping[str, Any]) -> None:
    """Raises FkbenchError where packages are lacking or a file is not named or not there."""
    lacking = spec.lacking()
    if lacking:
        raise FkbenchError(
            f"The detector '{spec.name}' cannot be used here: {lacking}.", "pip install 'fkbench[detectors]'."
        )
    for name, what in spec.files.items():
        path = str(settings.get(name, ""))
        if not path:
            raise FkbenchError(
                f"The detector '{spec.name}' needs {what}.",
                f"Give it with --set detector.{name}=FILE; docs/detectors.md says where to get it.",
            )
        if not Path(path).expanduser().is_file():
            raise FkbenchError(f"There is no file '{path}'.", f"Check detector.{name}.")


def open_detector(spec: DetectorSpec, settings: Mapping[str, Any], store: Store | None = None) -> OpenDetector:
    """Load a detector.

    Args:
        settings: as given or resolved; texts from `--set` are converted.
        store: the data folder, in which a correction fitted there is looked for first.

    Raises:
        FkbenchError: it does not look for faces, cannot be used here, or a setting is bad.
    """
    if spec.find is None:
        raise FkbenchError(
            f"'{spec.name}' does not look for faces: its boxes are made from the frame or the labels.",
            "`fkbench list detectors` has those that do.",
        )
    chosen = detector_settings(spec, settings)
    check_detector_usable(spec, chosen)
    finder = resolve(spec.find)(**chosen)
    return OpenDetector(spec, chosen, choose_correction(spec, chosen, store), finder)
