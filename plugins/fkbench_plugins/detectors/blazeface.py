"""`blazeface`: BlazeFace (Bazarevsky et al. 2019), MediaPipe's detector, through OpenCV; weights are the user's file.

The nets see a square picture in [−1, 1] and answer for fixed anchors, the cells of one or two grids: offset of the
centre, width and height in input pixels, twelve more numbers for six keypoints, and a logit. Boxes that overlap are
averaged by their scores, as the paper proposes against jitter in video.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fkbench.errors import FkbenchError
from fkbench.specs import Correction, DetectorSpec, Setting

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

REMEDY = "Give one of MediaPipe's face_detection .tflite files, and the model it is: short, full or back."


@dataclass(frozen=True)
class Layout:
    """Input side in px, and (cells per side, anchors per cell) of each grid, in the order of the outputs."""

    side: int
    grids: tuple[tuple[int, int], ...]

    def anchors(self) -> FloatArray:
        """(A, 2) centres x, y in shares of the side, row by row."""
        import numpy as np

        parts = []
        for cells, each in self.grids:
            line = (np.arange(cells) + 0.5) / cells
            y, x = np.meshgrid(line, line, indexing="ij")
            parts.append(np.repeat(np.column_stack([x.reshape(-1), y.reshape(-1)]), each, axis=0))
        return np.concatenate(parts)


LAYOUTS = {
    "short": Layout(128, ((16, 2), (8, 6))),
    "back": Layout(256, ((16, 2), (8, 6))),
    "full": Layout(192, ((48, 1),)),
}


@dataclass(frozen=True)
class BlazeFace:
    """A loaded net. Scores are probabilities."""

    net: Any
    outputs: tuple[str, ...]
    weights: str
    side: int
    anchors: FloatArray
    confidence: float
    overlap: float

    def __call__(self, image: npt.NDArray[np.uint8]) -> FloatArray:
        """(M, 5) boxes and scores of an image (H, W, 1 or 3), RGB."""
        from fkbench.detect.pictures import to_rgb

        height, width = image.shape[:2]
        reach = max(height, width)
        raw, logits = self.forward(_letterboxed(to_rgb(image), self.side))
        boxes, scores = decode(raw, logits, self.anchors, self.side)
        kept = (scores >= self.confidence) & (boxes[:, 2:] > 0).all(axis=1)
        merged = merge(boxes[kept], scores[kept], self.overlap)
        merged[:, :4] *= reach
        merged[:, :2] -= [(reach - width) / 2, (reach - height) / 2]
        return merged

    def forward(self, picture: npt.NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
        """Raw boxes (A, 16) and logits (A,) of a picture (side, side, 3).

        Raises:
            FkbenchError: the outputs are not those of this model.
        """
        import cv2
        import numpy as np

        blob = cv2.dnn.blobFromImage(picture, 1 / 127.5, mean=(127.5, 127.5, 127.5))
        self.net.setInput(blob)
        parts = [np.asarray(part, np.float64).reshape(-1, part.shape[-1]) for part in self.net.forward(self.outputs)]
        by_width = {part.shape[1]: part for part in parts}
        if set(by_width) != {1, 16} or {len(part) for part in parts} != {len(self.anchors)}:
            shapes = ", ".join("×".join(map(str, part.shape)) for part in parts)
            raise FkbenchError(f"blazeface: the file's outputs are {shapes}, not those of this model.", REMEDY)
        return by_width[16], by_width[1][:, 0]


def _letterboxed(picture: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    """A picture in the middle of a black square of this side."""
    import cv2
    import numpy as np

    height, width = picture.shape[:2]
    scale = side / max(height, width)
    # One warp keeps the fraction of a pixel that resizing to whole sizes would round away.
    maps = np.array([[scale, 0, (side - width * scale) / 2], [0, scale, (side - height * scale) / 2]])
    maps[:, 2] += (scale - 1) / 2
    if scale < 0.5:  # bilinear sampling would skip pixels
        wide, high = max(1, round(width * scale * 1.5)), max(1, round(height * scale * 1.5))
        small = cv2.resize(picture, (wide, high), interpolation=cv2.INTER_AREA)
        step = np.diag([width / wide, height / high, 1.0])
        step[:2, 2] = (np.array([width / wide, height / high]) - 1) / 2
        picture, maps = np.asarray(small, np.uint8), maps @ step
    return np.asarray(cv2.warpAffine(picture, maps, (side, side), flags=cv2.INTER_LINEAR), np.uint8)


def decode(raw: FloatArray, logits: FloatArray, anchors: FloatArray, side: int) -> tuple[FloatArray, FloatArray]:
    """Boxes (A, 4) x, y, w, h in shares of the side, and probabilities (A,)."""
    import numpy as np

    centre, size = raw[:, :2] / side + anchors, raw[:, 2:4] / side
    return np.column_stack([centre - size / 2, size]), 1 / (1 + np.exp(-np.clip(logits, -80, 80)))


def merge(boxes: FloatArray, scores: FloatArray, overlap: float) -> FloatArray:
    """(M, 5): of boxes (A, 4) that overlap a surest one by more than `overlap` (IoU), the mean by score; its score."""
    import numpy as np

    from fkbench.detect.matching import overlaps

    order = np.argsort(-scores, kind="stable")
    found = []
    while len(order):
        near = overlaps(boxes[order[:1]], boxes[order])[0] > overlap
        near[0] = True
        group = order[near]
        found.append([*np.average(boxes[group], axis=0, weights=scores[group]), scores[order[0]]])
        order = order[~near]
    return np.array(found, np.float64).reshape(-1, 5)


def find(model_path: str, model: str, confidence: float, overlap: float) -> BlazeFace:
    """Load a BlazeFace file.

    Raises:
        FkbenchError: OpenCV does not load it, it is another model, or a setting is out of range.
    """
    import cv2
    import numpy as np

    if not 0 < confidence < 1 or not 0 < overlap < 1:
        raise FkbenchError("blazeface: confidence and overlap lie between 0 and 1.", "For example confidence=0.5.")
    path = Path(model_path).expanduser()
    layout = LAYOUTS[model]
    # OpenCV 5's new engine gives only one of the two outputs of these files.
    engine = {"engine": cv2.dnn.ENGINE_CLASSIC} if hasattr(cv2.dnn, "ENGINE_CLASSIC") else {}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    try:
        net = cv2.dnn.readNetFromTFLite(str(path), **engine)
        outputs = tuple(net.getUnconnectedOutLayersNames())
        opened = BlazeFace(net, outputs, digest, layout.side, layout.anchors(), confidence, overlap)
        opened.forward(np.zeros((layout.side, layout.side, 3), np.uint8))
    except (cv2.error, AttributeError) as error:
        raise FkbenchError(
            f"OpenCV {cv2.__version__} does not run '{path}' as a BlazeFace ({model}).", REMEDY
        ) from error
    return opened


FITTED = {
    "dataset": "youtube68",
    "fingerprint": "sha256:8435a3b84e6ab1c85007ab1629334a28cb887c709aa68060b4dd8ebf2619c618",
    "split": "identity",
    "part": "train",
    "frames": 1000,
    "versions": {"cv2": "4.14.0"},
}
"""Where the corrections come from: `fkbench detect --detector blazeface --dataset youtube68 --fit`."""

SPEC = DetectorSpec(
    name="blazeface",
    summary="BlazeFace, MediaPipe's detector, through OpenCV; give its .tflite file",
    find="fkbench_plugins.detectors.blazeface:find",
    needs=("cv2",),
    files={"model_path": "a BlazeFace .tflite file"},
    licence="Apache-2.0 (OpenCV; weights: MediaPipe)",
    corrections=(
        Correction(
            1.2359,
            0.0116,
            0.0608,
            settings={"model": "short"},
            provenance={**FITTED, "faces": 1000, "weights": "3bc182eb9f33925d"},
        ),
        Correction(
            1.2247,
            0.0151,
            0.0696,
            settings={"model": "back"},
            provenance={**FITTED, "faces": 999, "weights": "e376cf6b168d5ece"},
        ),
        Correction(
            1.166,
            0.0134,
            0.1072,
            settings={"model": "full"},
            provenance={**FITTED, "faces": 993, "weights": "99bf9494d84f50ac"},
        ),
    ),
    settings={
        "model_path": Setting("", "the .tflite file, see docs/detectors.md"),
        "model": Setting("back", "what the file is", ("short", "full", "back")),
        "confidence": Setting(0.5, "least probability of a face"),
        "overlap": Setting(0.3, "boxes that overlap more than this (IoU) are one face"),
    },
)
