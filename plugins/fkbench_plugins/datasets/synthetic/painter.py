"""Drawing one face: whole-number, anti-aliased OpenCV polygons in a fixed order, far things first.

Only anti-aliased calls: OpenCV's plain `fillPoly` (LINE_8) gives other bytes in 4.10 than in 4.11 and later.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from . import lighting
from .backdrop import CLUTTER, FINGERS
from .factors import BEARD, GLASSES, HAIR, OCCLUDER

BITS = 6
"""Coordinates are drawn in 1/64 pixel."""

_CAP, _HEADSCARF, _LONG = HAIR.index("cap"), HAIR.index("headscarf"), HAIR.index("long")


@dataclass(frozen=True)
class Face:
    """One face.

    `points` (P, 2) holds all outlines in fixed point and `spans` each name's rows; `tone` is name → grey level,
    `code` name → choice or number.
    """

    points: NDArray[np.int32]
    spans: dict[str, tuple[int, int]]
    tone: dict[str, int]
    code: dict[str, int]

    def outline(self, name: str) -> NDArray[np.int32]:
        """(P, 2) fixed-point outline."""
        start, end = self.spans[name]
        return self.points[start:end]


class Painter:
    """Draws into one (S, S) uint8 picture."""

    def __init__(self, picture: NDArray[np.uint8], face: Face) -> None:
        self.picture, self.face = picture, face
        self.tone, self.code = face.tone, face.code
        self.thick = max(1, round(len(picture) / 96))

    def fill(self, name: str, tone: str) -> None:
        cv2.fillPoly(self.picture, [self.face.outline(name)], self.tone[tone], cv2.LINE_AA, BITS)

    def disc(self, name: str, tone: str) -> None:
        """Fills a convex outline; OpenCV's convex fill keeps fractions of a pixel better than the general one."""
        cv2.fillConvexPoly(self.picture, self.face.outline(name), self.tone[tone], cv2.LINE_AA, BITS)

    def line(self, name: str, tone: str, thick: int = 1, closed: bool = False) -> None:
        points = [self.face.outline(name)]
        cv2.polylines(self.picture, points, closed, self.tone[tone], thick * self.thick, cv2.LINE_AA, BITS)

    def segments(self, name: str, tone: str, thick: int = 1) -> None:
        """Separate lines between consecutive pairs of points."""
        pairs = self.face.outline(name).reshape(-1, 2, 2)
        cv2.polylines(self.picture, list(pairs), False, self.tone[tone], thick * self.thick, cv2.LINE_AA, BITS)

    def background(self) -> None:
        if self.code["stripes"]:
            self.segments("stripes", "stripes", self.code["stripes"])
        for k in range(min(self.code["clutter"], CLUTTER)):
            self.fill(f"clutter{k}", f"clutter{k}")

    def head(self) -> None:
        """Body, back of the head, ears, face, beard."""
        self.fill("body", "body")
        if self.code["hair"] == _LONG:
            self.fill("lock_r", "scalp")
            self.fill("lock_l", "scalp")
        self.fill("neck", "neck")
        self.fill("cranium", "cloth" if self.code["hair"] in (_CAP, _HEADSCARF) else "scalp")
        for ear in ("ear_r", "ear_l"):
            self.fill(ear, "ear")
            self.line(ear, "ear_in")
        self.fill("skin", "skin")
        beard = self.code["beard"]
        if beard in (BEARD.index("stubble"), BEARD.index("full")):
            self.fill("beard", "beard")
        elif beard == BEARD.index("goatee"):
            self.fill("goatee", "beard")
        if beard >= BEARD.index("goatee"):
            self.fill("moustache", "beard")

    def eyes(self) -> None:
        for side in ("r", "l"):
            self.fill(f"eye_{side}", "sclera")
            self.disc(f"iris_{side}", "iris")
            self.disc(f"pupil_{side}", "pupil")
            self.fill(f"below_{side}", "skin")
            self.fill(f"lid_{side}", "lid")
            self.line(f"lower_{side}", "lower")
            self.line(f"crease_{side}", "crease")
            self.line(f"lash_{side}", "lash", self.code["lashes"])
            self.fill(f"brow_{side}", "brow")

    def nose(self) -> None:
        for side in ("r", "l"):
            self.line(f"wing_{side}", "wing")
            self.disc(f"nostril_{side}", "nostril")
        self.line("nose_base", "base")
        if self.code["ridge"]:
            self.line("bridge", "ridge")

    def mouth(self) -> None:
        if self.code["folds"]:
            self.line("fold_r", "fold")
            self.line("fold_l", "fold")
        self.fill("lips", "lip_up")
        self.fill("lip_low", "lip_low")
        self.fill("opening", "opening")
        if self.code["teeth"]:
            self.fill("teeth", "teeth")
        self.line("seam", "seam")

    def hair(self) -> None:
        style = self.code["hair"]
        if style == _HEADSCARF:
            rings = [self.face.outline("scarf_outer"), self.face.outline("scarf_inner")]
            cv2.fillPoly(self.picture, rings, self.tone["cloth"], cv2.LINE_AA, BITS)
        elif style:
            self.fill("fringe", "cloth" if style == _CAP else "hair")
            if style == _CAP:
                self.fill("brim", "body")
            else:
                self.segments("streaks", "streak")
        if style == _LONG:
            self.fill("lock_r", "hair")
            self.fill("lock_l", "hair")

    def glasses(self) -> None:
        worn = self.code["glasses"]
        if not worn:
            return
        for side in ("r", "l"):
            self.line(f"bow_{side}", "frame")
            if worn == GLASSES.index("dark"):
                self.disc(f"lens_{side}", "lens")
            self.line(f"lens_{side}", "frame", self.code["rim"], closed=True)
        self.line("bridge_bar", "frame", self.code["rim"])
        if self.code["glare"]:
            self.fill("glare_r", "glare")
            self.fill("glare_l", "glare")

    def occluder(self) -> None:
        kind = OCCLUDER[self.code["occluder"]]
        if kind == "hand":
            self.fill("palm", "hand")
            for k in range(FINGERS):
                self.fill(f"finger{k}", "hand")
                self.line(f"finger{k}", "wing", closed=True)
        elif kind == "microphone":
            self.fill("stick", "object")
            self.disc("mic", "mic")
        elif kind == "strand":
            for k in range(3):
                self.fill(f"strand{k}", "hair")
        elif kind != "none":
            self.fill({"scarf": "mask"}.get(kind, kind), "object")

    def albedo(self) -> None:
        """Everything that the light falls on."""
        self.background()
        self.head()
        self.eyes()
        self.nose()
        self.mouth()
        self.hair()


def light_layers(face: Face, levels: list[int], relief: NDArray[np.uint8], cover: NDArray[np.uint8]) -> None:
    """Draws the facets into `relief` (which holds 128) and the head's cover into `cover` (0), both (48, 48)."""
    for name, level in zip(lighting.FACETS, levels, strict=True):
        cv2.fillPoly(relief, [face.outline(name)], level, cv2.LINE_AA, lighting.BITS)
    for name in lighting.COVERED:
        cv2.fillPoly(cover, [face.outline(name)], 255, cv2.LINE_AA, lighting.BITS)
