"""Rendered faces with exact labels: `render(seed, indices)`.

Picture i of a seed is the same bytes on every machine, whichever other pictures are asked for and by however many
processes. Geometry uses only operations that IEEE 754 rounds exactly, random numbers come from 64-bit integer hashes,
and drawing is OpenCV's fixed-point polygon code on uint8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from . import backdrop, camera, controls, factors, lighting, outlines, tones
from .draws import Draws
from .geometry import F64
from .painter import BITS, Face, Painter, light_layers

RENDER_VERSION: int = 1
"""Raised by every change that alters a byte of a picture or a label."""

BATCH = 128
"""Faces whose geometry is worked out together."""


@dataclass(frozen=True)
class Rendered:
    """Pictures, labels and what is in them.

    images: (N, S, S) uint8 grey.
    points: (N, 68, 2) float32, x then y, pixel centres at integers, in multiples of 1/64 pixel: the very coordinates
        drawn. They are right also where something covers them and where they lie outside the picture.
    factors: name → (N,) numbers: yaw, pitch, roll in degrees; codes `hair`, `glasses`, `beard`, `occluder` index the
        tuples in `factors.py`; the rest in the units given there.
    """

    images: NDArray[np.uint8]
    points: NDArray[np.float32]
    factors: dict[str, NDArray[np.float32]]


def _codes(f: dict[str, F64], d: Draws) -> dict[str, list[int]]:
    """Name → N whole numbers that steer the drawing."""
    mouth = f["expression"] + 0.5 * np.maximum(f["grin"], 0)
    codes = {name: f[name] for name in ("hair", "glasses", "beard", "occluder", "clutter", "shadow")}
    codes["stripes"] = np.where(d.chance("stripes", 0.15), 1.0 + d.pick("stripes/thick", (2, 2, 1)), 0.0)
    codes["lashes"] = 1.0 + d.chance("lashes", 0.2)
    codes["rim"] = 1.0 + d.chance("rim", 0.25)
    codes["glare"] = d.chance("glare", 0.25).astype(np.float64)
    codes["folds"] = (d.chance("folds", 0.35) | (f["smile"] > 0.6)).astype(np.float64)
    codes["teeth"] = (d.chance("teeth/seen", 0.75) & (mouth > 0.12)).astype(np.float64)
    codes["ridge"] = (np.abs(f["yaw"]) > 12).astype(np.float64)
    return {name: value.astype(np.int64).tolist() for name, value in codes.items()}


def _stack(parts: dict[str, F64], size: int, bits: int) -> tuple[NDArray[np.int32], dict[str, tuple[int, int]]]:
    """All outlines as one fixed-point array (N, P, 2) and each name's rows in it."""
    edges = np.cumsum([0] + [part.shape[1] for part in parts.values()]).tolist()
    spans = dict(zip(parts, zip(edges[:-1], edges[1:], strict=True), strict=True))
    return outlines.fixed(np.concatenate(list(parts.values()), axis=1), size, bits), spans


@dataclass(frozen=True)
class _Scene:
    """A batch of faces ready to be drawn."""

    picture: tuple[NDArray[np.int32], dict[str, tuple[int, int]]]
    light: tuple[NDArray[np.int32], dict[str, tuple[int, int]]]
    tones: dict[str, list[int]]
    codes: dict[str, list[int]]
    levels: list[list[int]]
    base: NDArray[np.uint8]

    def face(self, i: int) -> tuple[Face, Face]:
        tone = {name: values[i] for name, values in self.tones.items()}
        code = {name: values[i] for name, values in self.codes.items()}
        (points, spans), (light, light_spans) = self.picture, self.light
        return Face(points[i], spans, tone, code), Face(light[i], light_spans, tone, code)


def _scene(d: Draws, f: dict[str, F64], size: int) -> tuple[_Scene, NDArray[np.int32]]:
    """The batch's scene, and its labels (N, 68, 2) in 1/64 pixel."""
    pose, points = factors.pose(d, f), factors.shapes(d, f)
    c = controls.build(pose, points, f, d)
    face = c.points["face"]
    shapes = outlines.outlines(c, f, d)
    light = {name: shapes[name] for name in (*lighting.FACETS, *lighting.COVERED)} | backdrop.shadow(d)
    shapes |= backdrop.clutter(d) | backdrop.hand(face, d) | backdrop.objects(face, d)
    towards = lighting.direction(f)
    levels = lighting.facet_levels(pose, towards, f)
    base = lighting.ellipsoid(pose, c.framing, towards, f)
    scene = _Scene(
        _stack(shapes, size, BITS), _stack(light, lighting.GRID, lighting.BITS), tones.tones(f, d), _codes(f, d), levels, base
    )  # fmt: skip
    return scene, outlines.fixed(face, size, BITS)


def _draw(scene: _Scene, i: int, picture: NDArray[np.uint8], f: dict[str, F64]) -> None:
    """Draws face i of the scene into `picture` (S, S), which holds its background."""
    face, light_face = scene.face(i)
    painter = Painter(picture, face)
    painter.albedo()
    level = lighting.combine(scene.base[i], *light_layers(light_face, scene.levels[i]))
    if face.code["shadow"]:
        cv2.fillPoly(level, [light_face.outline("shadow")], 70, cv2.LINE_8, lighting.BITS)
    size = len(picture)
    enlarged = cv2.resize(level, (size, size), interpolation=cv2.INTER_LINEAR_EXACT)
    picture[...] = np.minimum(picture.astype(np.uint16) * enlarged >> 7, 255)
    painter.glasses()
    painter.occluder()


def render_batch(seed: int, indices: Sequence[int], size: int) -> Rendered:
    """`render` for one batch in this thread."""
    d = Draws(seed, indices, RENDER_VERSION)
    f = factors.sample(d)
    scene, labels = _scene(d, f, size)
    images = tones.background(d, size)
    for i, picture in enumerate(images):
        _draw(scene, i, picture, f)
    camera.expose(images, f, d)
    points = labels.astype(np.float32) / np.float32(1 << BITS)
    return Rendered(images, points, {name: value.astype(np.float32) for name, value in f.items()})


def render(
    seed: int,
    indices: Sequence[int],
    size: int = 96,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Rendered:
    """Renders faces."""
    parts = []
    for start in range(0, len(indices), BATCH):
        parts.append(render_batch(seed, indices[start : start + BATCH], size))
        if progress:
            progress(len(parts[-1].images))
    images = np.concatenate([p.images for p in parts])
    points = np.concatenate([p.points for p in parts])
    return Rendered(images, points, {k: np.concatenate([p.factors[k] for p in parts]) for k in parts[0].factors})
