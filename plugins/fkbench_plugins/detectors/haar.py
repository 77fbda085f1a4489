"""`haar`: Viola and Jones' boosted cascade of Haar features (CVPR 2001) as OpenCV has it, with the articles' settings.

OpenCV 5 moved the classifier to its contrib build and dropped the cascade files: both are looked for when they are
used, not told from a version.
"""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fkbench.errors import FkbenchError
from fkbench.specs import Correction, DetectorSpec, Setting

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

PREFIX = "haarcascade_"
DEFAULT = "frontalface_default"
REMEDY = "Install opencv-python below 5, or name a file with --set detector.cascade=FILE.xml."


def folder() -> Path | None:
    """Where this OpenCV keeps its cascade files, found without importing it."""
    spec = importlib.util.find_spec("cv2")
    return Path(spec.origin).parent / "data" if spec is not None and spec.origin else None


def probe() -> str | None:
    """Whether the default cascade is there."""
    where = folder()
    if where is not None and (where / f"{PREFIX}{DEFAULT}.xml").is_file():
        return None
    return "this OpenCV brings no cascade files: install opencv-python below 5, or give --set detector.cascade=FILE.xml"


def cascade_file(name: str) -> Path:
    """The file of a cascade: a path, or a name such as `frontalface_alt2` among OpenCV's own.

    Raises:
        FkbenchError: there is none.
    """
    given, where = Path(name).expanduser(), folder()
    own = where / f"{PREFIX}{name.removeprefix(PREFIX).removesuffix('.xml')}.xml" if where is not None else None
    for path in (own, given):
        if path is not None and path.is_file():
            return path
    known = sorted(p.stem.removeprefix(PREFIX) for p in where.glob(f"{PREFIX}*.xml")) if where is not None else []
    remedy = f"OpenCV's own: {', '.join(n for n in known if 'face' in n)}; or a file." if known else REMEDY
    raise FkbenchError(f"There is no cascade '{name}'.", remedy)


def clamped(boxes: npt.NDArray[np.float64], width: int, height: int) -> npt.NDArray[np.float64]:
    """Boxes (M, 4) cut at the borders of their picture."""
    import numpy as np

    low = np.clip(boxes[:, :2], 0, None)
    high = np.minimum(boxes[:, :2] + boxes[:, 2:], [width, height])
    return np.column_stack([low, high - low])


@dataclass(frozen=True)
class Haar:
    """A loaded cascade. Its score is the number of overlapping windows that were merged into the box."""

    classifier: Any
    weights: str
    scale_factor: float
    min_neighbors: int
    grey: bool
    pad: float
    longest: int

    def __call__(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """(M, 5) boxes and scores of an image (H, W, 1 or 3), RGB."""
        import numpy as np

        from fkbench.detect.pictures import shrunk, to_grey

        # Given colour, OpenCV makes it grey by the weights of BGR: the articles pass RGB, and so it is done here.
        small, back = shrunk(image, self.longest)
        seen = to_grey(small) if self.grey or small.shape[2] == 1 else small
        found, merged = self.classifier.detectMultiScale2(seen, self.scale_factor, self.min_neighbors)
        if not len(found):
            return np.zeros((0, 5))
        boxes = np.asarray(found, np.float64) * back
        if self.pad:
            grown = boxes[:, 2:] * self.pad
            boxes = np.column_stack([boxes[:, :2] - grown, boxes[:, 2:] + 2 * grown])
            boxes = clamped(boxes, image.shape[1], image.shape[0])
        return np.column_stack([boxes, np.asarray(merged, np.float64).reshape(-1)])


def find(
    preset: str, scale_factor: float, min_neighbors: int, grey: bool, pad: float, cascade: str, longest: int
) -> Haar:
    """Load a cascade.

    Raises:
        FkbenchError: this OpenCV has no cascade classifier, the file does not load, or a setting is out of range.
    """
    import cv2

    if not hasattr(cv2, "CascadeClassifier"):
        raise FkbenchError(
            f"OpenCV {cv2.__version__} has no CascadeClassifier.",
            "Install opencv-python below 5, or opencv-contrib-python.",
        )
    if scale_factor <= 1 or min_neighbors < 0 or pad < 0 or longest < 0:
        raise FkbenchError(
            "haar: scale_factor must be above 1, the other numbers not below 0.", "For example scale_factor=1.2."
        )
    path = cascade_file(cascade)
    classifier = _load(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return Haar(classifier, digest, scale_factor, min_neighbors, grey, pad, longest)


def _load(path: Path) -> Any:
    import cv2

    try:
        classifier = cv2.CascadeClassifier(str(path))
        empty = classifier.empty()
    except (cv2.error, SystemError):
        empty = True
    if empty:  # some files are refused without an error, others raise
        raise FkbenchError(f"OpenCV {cv2.__version__} does not load '{path}' as a cascade.", "Give an OpenCV cascade.")
    return classifier


FITTED = {
    "dataset": "youtube68",
    "fingerprint": "sha256:8435a3b84e6ab1c85007ab1629334a28cb887c709aa68060b4dd8ebf2619c618",
    "split": "identity",
    "part": "train",
    "frames": 1000,
    "versions": {"cv2": "4.14.0"},
}
"""Where the corrections come from: `fkbench detect --detector haar --dataset youtube68 --fit`."""

SPEC = DetectorSpec(
    name="haar",
    summary="boosted cascade of Haar features, OpenCV's frontal face (Viola and Jones 2001)",
    find="fkbench_plugins.detectors.haar:find",
    needs=("cv2",),
    probe=probe,
    licence="Apache-2.0 (OpenCV); cascades: Intel licence, BSD-like",
    corrections=(
        Correction(
            1.0833,
            0.0047,
            0.1605,
            settings={"cascade": "frontalface_default", "pad": 0.0},
            provenance={**FITTED, "faces": 989},
        ),
        Correction(
            1.1218,
            0.0,
            0.1689,
            settings={"cascade": "frontalface_alt2", "pad": 0.0},
            provenance={**FITTED, "faces": 967},
        ),
        Correction(
            0.6631,
            0.0024,
            0.0961,
            settings={"cascade": "frontalface_default", "pad": 0.33},
            provenance={**FITTED, "faces": 973},
        ),
    ),
    settings={
        "preset": Setting(
            "default",
            "settings of an article, where they are not given",
            ("default", "dfk", "kshirsagar", "fiyero", "alt2"),
        ),
        "scale_factor": Setting(1.2, "ratio of neighbouring window sizes"),
        "min_neighbors": Setting(2, "overlapping windows that make a face, less one"),
        "grey": Setting(True, "search the grey picture; false: hand OpenCV the RGB picture, as some articles do"),
        "pad": Setting(0.0, "grow the box on each side by this share, cut at the border"),
        "cascade": Setting(DEFAULT, "a cascade of OpenCV's (frontalface_alt2 …) or a file"),
        "longest": Setting(1280, "px: larger pictures are shrunk to this longer side first; 0: never"),
    },
    presets={
        "dfk": {"scale_factor": 1.25, "min_neighbors": 6, "grey": True},
        "kshirsagar": {"scale_factor": 1.2, "min_neighbors": 2, "grey": False},
        "fiyero": {"scale_factor": 1.2, "min_neighbors": 2, "grey": False, "pad": 0.33},
        "alt2": {"cascade": "frontalface_alt2"},
    },
)
