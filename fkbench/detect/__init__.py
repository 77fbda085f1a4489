"""Face detectors: opened once, asked for every face in a picture, corrected onto the reference square, and scored."""

from fkbench.detect.found import Found, main_face
from fkbench.detect.opening import OpenDetector, detector_settings, open_detector

__all__ = ["Found", "OpenDetector", "detector_settings", "main_face", "open_detector"]
