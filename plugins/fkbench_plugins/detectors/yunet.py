"""`yunet`: Wu, Peng and Yu's YuNet (2023) through OpenCV's own class. The weights are the user's file.

A net that OpenCV has once run at one size may answer wrongly at another, so every size gets a net of its own.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fkbench.errors import FkbenchError
from fkbench.specs import DetectorSpec, Setting

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

KEPT = 8
"""Sizes whose nets are kept."""
SMALLEST = 8
TOP = 5000


@dataclass
class YuNet:
    """A file's nets by picture size. Scores are √(class · objectness), 0 to 1."""

    path: str
    weights: str
    confidence: float
    overlap: float
    longest: int
    nets: OrderedDict[tuple[int, int], Any] = field(default_factory=OrderedDict)

    def __call__(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """(M, 5) boxes and scores of an image (H, W, 1 or 3), RGB."""
        import numpy as np

        from fkbench.detect.pictures import shrunk, to_bgr

        small, back = shrunk(image, self.longest)
        if min(small.shape[:2]) < SMALLEST:
            return np.zeros((0, 5))
        _, rows = self.net(small.shape[1], small.shape[0]).detect(to_bgr(small))
        table = np.zeros((0, 15)) if rows is None else np.asarray(rows, np.float64)
        table = table[np.isfinite(table[:, :4]).all(axis=1) & (table[:, 2:4] > 0).all(axis=1)]
        return np.column_stack([table[:, :4] * back, table[:, 14]])

    def net(self, width: int, height: int) -> Any:
        """The net for pictures of this size.

        Raises:
            FkbenchError: OpenCV does not load the file.
        """
        import cv2

        size = (width, height)
        if size not in self.nets:
            try:
                made = cv2.FaceDetectorYN.create(self.path, "", size, self.confidence, self.overlap, TOP)
            except cv2.error as error:
                raise FkbenchError(
                    f"OpenCV {cv2.__version__} does not load '{self.path}' as a YuNet.", "Give a YuNet .onnx file."
                ) from error
            self.nets[size] = made
            while len(self.nets) > KEPT:
                self.nets.popitem(last=False)
        self.nets.move_to_end(size)
        return self.nets[size]


def find(model_path: str, confidence: float, overlap: float, longest: int) -> YuNet:
    """Load a YuNet file.

    Raises:
        FkbenchError: this OpenCV lacks the class, the file does not load, or a setting is out of range.
    """
    import cv2

    if not hasattr(cv2, "FaceDetectorYN"):
        raise FkbenchError(f"OpenCV {cv2.__version__} has no FaceDetectorYN.", "Install opencv-python 4.10 or newer.")
    if not 0 < confidence < 1 or not 0 < overlap < 1 or longest < 1:
        raise FkbenchError(
            "yunet: confidence and overlap lie between 0 and 1, longest is above 0.", "For example confidence=0.6."
        )
    path = Path(model_path).expanduser()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    opened = YuNet(str(path), digest, confidence, overlap, longest)
    opened.net(320, 320)  # a file that does not load is refused here
    return opened


SPEC = DetectorSpec(
    name="yunet",
    summary="YuNet through OpenCV's FaceDetectorYN; give its .onnx file",
    find="fkbench_plugins.detectors.yunet:find",
    needs=("cv2",),
    files={"model_path": "a YuNet .onnx file"},
    licence="Apache-2.0 (OpenCV); weights: MIT",
    settings={
        "model_path": Setting("", "the .onnx file, see docs/detectors.md"),
        "confidence": Setting(0.6, "least confidence of a face, 0 to 1"),
        "overlap": Setting(0.3, "boxes that overlap more than this (IoU) are one face"),
        "longest": Setting(960, "px: larger pictures are shrunk to this longer side first"),
    },
)
