"""From head coordinates to the picture: turning, marching of hidden outline points, perspective, framing.

Only +, −, ·, / and square roots are used (IEEE 754 rounds these alike everywhere; sin and cos of the C library it
does not), sums run in a fixed order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .geometry import EYE_L, EYE_R, F64, JAW_BULGE

REFERENCE = 96
"""Side in pixels of the picture in which framing is defined; other sizes are the same scene resampled."""

EYE_MIDPOINT = (48.3, 37.8)
PIXELS_PER_MM = 36.0 / 64.0
_DEGREE = 0.017453292519943295


def sine(radians: F64) -> F64:
    """sin for |x| < 1.2 by its Taylor polynomial; error below 1e-15."""
    s = radians * radians
    total = np.ones_like(s)
    for k in (16, 14, 12, 10, 8, 6, 4, 2):
        total = 1.0 - s / (k * (k + 1.0)) * total
    return radians * total


def cosine(radians: F64) -> F64:
    """cos for |x| < 1.2 by its Taylor polynomial; error below 1e-15."""
    s = radians * radians
    total = np.ones_like(s)
    for k in (17, 15, 13, 11, 9, 7, 5, 3, 1):
        total = 1.0 - s / (k * (k + 1.0)) * total
    return total


@dataclass(frozen=True)
class Ring:
    """Points on the head's horizontal sections, half ellipses (a·sin φ, y, c + b·cos φ); arrays (N, P) or (P,)."""

    y: F64
    half_width: F64
    depth: F64
    centre: F64
    sine: F64
    cosine: F64


@dataclass(frozen=True)
class Pose:
    """Pose and camera of N heads.

    yaw > 0 turns the face to the right of the picture, pitch > 0 lifts the chin, roll > 0 turns clockwise (degrees).
    `distance` is the camera's in mm, `scale` in pixels per mm at the eyes, `eyes` (N, 2) the wanted eye midpoint in
    pixels of the 96-pixel picture.
    """

    yaw: F64
    pitch: F64
    roll: F64
    distance: F64
    scale: F64
    eyes: F64

    def _trig(self, angle: F64) -> tuple[F64, F64]:
        radians = (angle * _DEGREE)[:, None]
        return sine(radians), cosine(radians)

    def yawed(self, points: F64) -> F64:
        """(N, P, 3) turned about the vertical axis only."""
        s, c = self._trig(self.yaw)
        x, y, z = points[..., 0], points[..., 1], points[..., 2]
        return np.stack([x * c + z * s, y + 0.0 * x, z * c - x * s], axis=-1)

    def ring(self, ring: Ring) -> F64:
        """(N, P, 3) ring points after the yaw; those turned out of sight slide along their section to the outline.

        Annotators mark the visible outline of a turned head, not the jaw bone behind it ("landmark marching").
        """
        s, c = self._trig(self.yaw)
        a, b, sp, cp = ring.half_width, ring.depth, ring.sine, ring.cosine
        reach = np.sqrt(a * a * c * c + b * b * s * s) + 1e-9
        side = np.where(sp < 0, -1.0, 1.0)
        hidden = a * cp * c - b * sp * s < 0
        sin_out, cos_out = side * a * c / reach, side * b * s / reach
        sin_phi, cos_phi = np.where(hidden, sin_out, sp), np.where(hidden, cos_out, cp)
        x, z = a * sin_phi, ring.centre + b * cos_phi
        return np.stack([x * c + z * s, ring.y + 0.0 * x, z * c - x * s], axis=-1)

    def tilted(self, points: F64) -> F64:
        """(N, P, 3) yawed points turned further by pitch, then roll: camera axes, mm."""
        s, c = self._trig(self.pitch)
        x, y, z = points[..., 0], points[..., 1], points[..., 2]
        y, z = y * c - z * s, y * s + z * c
        s, c = self._trig(self.roll)
        return np.stack([x * c - y * s, x * s + y * c, z], axis=-1)

    def projected(self, yawed: F64) -> F64:
        """(N, P, 2) perspective projection of yawed points, mm in the plane of the eyes, unframed."""
        camera = self.tilted(yawed)
        shrink = self.distance[:, None] / (self.distance[:, None] - camera[..., 2])
        return camera[..., :2] * shrink[..., None]


@dataclass(frozen=True)
class Framing:
    """The shift and scale that put projected millimetres into the 96-pixel picture."""

    origin: F64
    scale: F64
    target: F64

    def pixels(self, plane: F64) -> F64:
        """(N, P, 2) mm → pixels of the 96-pixel picture."""
        return (plane - self.origin[:, None]) * self.scale[:, None, None] + self.target[:, None]


def frame(pose: Pose, landmarks: F64) -> Framing:
    """The framing of faces whose projected landmarks (N, 68, 2) are given in mm.

    The eye midpoint goes to `pose.eyes`, less a third of the way by which a turned face lies beside its eyes (face
    detectors centre the face, not the eyes).
    """
    origin = np.zeros((len(landmarks), 2))
    for k in [*EYE_R.tolist(), *EYE_L.tolist()]:
        origin = origin + landmarks[:, k] / 12.0
    beside = (landmarks[:, 30] + landmarks[:, 0] * 0.5 + landmarks[:, 16] * 0.5) * 0.5 - origin
    target = pose.eyes.copy()
    target[:, 0] -= 0.35 * beside[:, 0] * pose.scale
    return Framing(origin, pose.scale, target)


def landmarks_yawed(pose: Pose, points: F64) -> F64:
    """(N, 68, 3) head coordinates → yawed, the jaw marched to the visible outline."""
    out = pose.yawed(points)
    jaw = points[:, :17]
    middle = points[:, 8:9, 0]
    side = np.sign(np.arange(17) - 8.0)
    ring = Ring(
        y=jaw[..., 1], half_width=np.abs(jaw[..., 0] - middle), depth=JAW_BULGE, centre=jaw[..., 2],
        sine=side, cosine=np.where(side == 0, 1.0, 0.0),
    )  # fmt: skip
    marched = pose.ring(ring)
    s, c = sine(pose.yaw * _DEGREE), cosine(pose.yaw * _DEGREE)
    marched[..., 0] += middle * c[:, None]
    marched[..., 2] -= middle * s[:, None]
    out[:, :17] = marched
    return out
