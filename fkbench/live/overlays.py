"""What is drawn on a live picture: points, a mesh, boxes or sunglasses; and the line that says how fast it goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import cv2
import numpy as np

from fkbench.datasets.samples import ByteArray
from fkbench.draw import canvas as cv
from fkbench.errors import UnknownNameError
from fkbench.live.frames import Face, Points
from fkbench.live.sunglasses import artwork, eye_line, inner_corners, put_fixed, put_on
from fkbench.schemes import Scheme

Overlay = Callable[[ByteArray, Sequence[Face]], None]
"""Draws faces into a picture (H, W, 3) BGR, in place."""

OVERLAYS = ("points", "mesh", "boxes", "sunglasses", "sunglasses-fixed")


def make_overlay(name: str, scheme: Scheme) -> Overlay:
    """The overlay of this name for points of a scheme.

    Raises:
        UnknownNameError: there is none.
        FkbenchError: the scheme lacks the points that it needs.
    """
    if name == "points":
        return _points
    if name == "mesh":
        return partial(_mesh, scheme=scheme)
    if name == "boxes":
        return _boxes
    if name.startswith("sunglasses"):
        artwork()  # drawn before the first picture comes
    if name == "sunglasses":
        return partial(_each, put=put_on, ends=eye_line(scheme))
    if name == "sunglasses-fixed":
        return partial(_each, put=put_fixed, ends=inner_corners(scheme))
    raise UnknownNameError("--overlay", name, OVERLAYS)


def _each(
    canvas: ByteArray,
    faces: Sequence[Face],
    *,
    put: Callable[[ByteArray, Points, tuple[tuple[int, ...], tuple[int, ...]]], None],
    ends: tuple[tuple[int, ...], tuple[int, ...]],
) -> None:
    for face in faces:
        put(canvas, face.points, ends)


def _points(canvas: ByteArray, faces: Sequence[Face]) -> None:
    for face in faces:
        radius = dot_radius(face)
        cv.dots(canvas, face.points, cv.BACKDROP, radius + 1.0)
        cv.dots(canvas, face.points, cv.PREDICTED, radius)


def dot_radius(face: Face) -> float:
    """px: smaller on small faces and where a face carries many points."""
    return max(1.2, float(face.square[2]) / (55 if len(face.points) <= 30 else 110))


def _mesh(canvas: ByteArray, faces: Sequence[Face], *, scheme: Scheme) -> None:
    for face in faces:
        if scheme.lines:
            cv.outlines(canvas, face.points, scheme, cv.ERROR)
        else:
            edges = triangulated(face.points)
            cv.strokes(canvas, face.points[edges[:, 0]], face.points[edges[:, 1]], cv.ERROR)
        cv.dots(canvas, face.points, cv.PREDICTED, dot_radius(face) * 0.8)


def triangulated(points: Points) -> np.ndarray:
    """(E, 2) edges of the Delaunay triangulation of points (K, 2); none where they lie on a line."""
    from scipy.spatial import Delaunay, QhullError

    try:
        triangles = Delaunay(points).simplices
    except (QhullError, ValueError):
        return np.zeros((0, 2), int)
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    return np.unique(np.sort(pairs, axis=1), axis=0)


def _boxes(canvas: ByteArray, faces: Sequence[Face]) -> None:
    for face in faces:
        x, y, width, height = (float(value) for value in face.square)
        corners = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]]) - 0.5
        cv.strokes(canvas, corners, np.roll(corners, -1, axis=0), cv.ERROR, 2)
        words = f"{face.number}" + (f"  {face.score:.3g}" if np.isfinite(face.score) else "")
        cv.text(canvas, words, max(x, 2.0), max(y - 5, 14.0), 11.0, cv.ERROR, halo=True)


def status_line(canvas: ByteArray, words: str) -> None:
    """A line of text on a dark strip in the upper left corner, in place."""
    height = max(9.0, canvas.shape[0] / 45)
    words = cv.fitted(words, height, canvas.shape[1] - 2 * height)
    wide, high = min(round(cv.text_width(words, height) + 1.6 * height), canvas.shape[1]), round(2.2 * height)
    strip = canvas[:high, :wide]
    strip[:] = cv2.convertScaleAbs(strip, alpha=0.35)
    cv.text(canvas, words, 0.8 * height, 1.6 * height, height, (255, 255, 255))
