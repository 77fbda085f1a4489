"""`hog`: dlib's frontal face detector, a linear classifier on histograms of oriented gradients (King 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fkbench.errors import FkbenchError
from fkbench.specs import Correction, DetectorSpec, Setting

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SMALLEST = 8
"""px: smaller pictures hold no face that it could find."""


@dataclass(frozen=True)
class Hog:
    """A loaded detector. Scores are distances from the separating plane, 0 and up unless the threshold is lower."""

    detector: Any
    upsample: int
    threshold: float
    longest: int

    def __call__(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """(M, 5) boxes and scores of an image (H, W, 1 or 3), RGB."""
        import numpy as np

        from fkbench.detect.pictures import shrunk, to_rgb

        small, back = shrunk(image, self.longest)
        if min(small.shape[:2]) < SMALLEST:
            return np.zeros((0, 5))
        seen = small[:, :, 0] if small.shape[2] == 1 else to_rgb(small)
        found, scores, _ = self.detector.run(np.array(seen), self.upsample, self.threshold)
        # A dlib rectangle contains its right and bottom pixels.
        boxes = np.array([(r.left(), r.top(), r.width(), r.height()) for r in found], np.float64).reshape(-1, 4)
        return np.column_stack([boxes * back, np.asarray(scores, np.float64).reshape(-1)])


def find(upsample: int, threshold: float, longest: int) -> Hog:
    """Load the detector.

    Raises:
        FkbenchError: a setting is out of range.
    """
    import dlib

    if not 0 <= upsample <= 3 or longest < 1:
        raise FkbenchError("hog: upsample lies between 0 and 3, longest is above 0.", "For example upsample=1.")
    return Hog(dlib.get_frontal_face_detector(), upsample, threshold, longest)


FITTED = {
    "dataset": "youtube68",
    "fingerprint": "sha256:8435a3b84e6ab1c85007ab1629334a28cb887c709aa68060b4dd8ebf2619c618",
    "split": "identity",
    "part": "train",
    "frames": 1000,
    "versions": {"cv2": "4.14.0", "dlib": "20.0.1"},
}
"""Where the corrections come from: `fkbench detect --detector hog --dataset youtube68 --fit`."""

SPEC = DetectorSpec(
    name="hog",
    summary="dlib's frontal face detector: histograms of oriented gradients and a linear classifier",
    find="fkbench_plugins.detectors.hog:find",
    needs=("dlib",),
    install="fkbench[detectors]",
    licence="Boost (dlib)",
    corrections=(Correction(1.2252, 0.0111, 0.1099, provenance={**FITTED, "faces": 972}),),
    settings={
        "upsample": Setting(1, "times the picture is doubled: faces below 80 px are not found without"),
        "threshold": Setting(0.0, "least score of a face; below 0 finds more and errs more"),
        "longest": Setting(1280, "px: larger pictures are shrunk to this longer side first"),
    },
)
