"""Rendered faces with exact labels: `render(seed, indices)`.

Picture i of a seed is the same bytes on every machine, whichever other pictures are asked for and by however many
processes. Geometry uses only operations that IEEE 754 rounds exactly, random numbers come from 64-bit integer hashes,
and drawing is OpenCV's fixed-point polygon code on uint8.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from fkbench.errors import FkbenchError

from . import backdrop, camera, controls, factors, lighting, outlines, pool, tones
from .draws import Draws
from .geometry import F64
from .painter import BITS, Face, Painter, light_layers

RENDER_VERSION: int = 2
"""Raised by every change that alters a byte of a picture or a label."""

BATCH = 384
"""Most faces whose geometry is worked out together: the more, the less numpy's cost per call weighs."""

ALONE = 500
"""From so many pictures on, rendering starts worker processes by itself."""


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
    codes["lashes"] = 1.0 + d.chance("lashes", 0.2).astype(np.float64)
    codes["rim"] = 1.0 + d.chance("rim", 0.25).astype(np.float64)
    codes["glare"] = d.chance("glare", 0.25).astype(np.float64)
    codes["folds"] = (d.chance("folds", 0.35) | (f["smile"] > 0.6)).astype(np.float64)
    codes["teeth"] = (d.chance("teeth/seen", 0.75) & (mouth > 0.12)).astype(np.float64)
    codes["ridge"] = (np.abs(f["yaw"]) > 12).astype(np.float64)
    return {name: value.astype(np.int64).tolist() for name, value in codes.items()}


_Stack = tuple[NDArray[np.int32], dict[str, tuple[int, int]]]


def _stack(parts: dict[str, F64], size: int, bits: int) -> _Stack:
    """All outlines as one fixed-point array (N, P, 2) and each name's rows in it."""
    edges = np.cumsum([0] + [part.shape[1] for part in parts.values()]).tolist()
    spans = dict(zip(parts, pairwise(edges), strict=True))
    return outlines.fixed(np.concatenate(list(parts.values()), axis=1), size, bits), spans


@dataclass(frozen=True)
class _Scene:
    """A batch of faces ready to be drawn: per face its outlines in the picture and on the light's grid."""

    faces: list[tuple[Face, Face]]
    levels: list[list[int]]
    base: NDArray[np.uint8]


def _faces(
    picture: _Stack, light: _Stack, tone: dict[str, list[int]], code: dict[str, list[int]]
) -> list[tuple[Face, Face]]:
    out = []
    rows = zip(picture[0], light[0], zip(*tone.values(), strict=True), zip(*code.values(), strict=True), strict=True)
    for points, lit, levels, numbers in rows:
        tones_of, codes_of = dict(zip(tone, levels, strict=True)), dict(zip(code, numbers, strict=True))
        out.append((Face(points, picture[1], tones_of, codes_of), Face(lit, light[1], tones_of, codes_of)))
    return out


def _scene(d: Draws, f: dict[str, F64], size: int) -> tuple[_Scene, NDArray[np.int32]]:
    """The batch's scene, and its labels (N, 68, 2) in 1/64 pixel."""
    pose, points = factors.pose(d, f), factors.shapes(d, f)
    c = controls.build(pose, points, f, d)
    face = c.points["face"]
    shapes = outlines.outlines(c, d)
    light = {name: shapes[name] for name in (*lighting.FACETS, *lighting.COVERED)} | backdrop.shadow(d)
    shapes |= backdrop.clutter(d) | backdrop.hand(face, d) | backdrop.objects(face, d)
    towards = lighting.direction(f)
    levels = lighting.facet_levels(pose, towards, f)
    base = lighting.ellipsoid(pose, c.framing, towards, f)
    drawn, lit = _stack(shapes, size, BITS), _stack(light, lighting.GRID, lighting.BITS)
    scene = _Scene(_faces(drawn, lit, tones.tones(f, d), _codes(f, d)), levels, base)
    return scene, outlines.fixed(face, size, BITS)


def _light(scene: _Scene) -> NDArray[np.uint8]:
    """(N, 48, 48) level of light on each face, cast shadows included."""
    relief, cover = np.full_like(scene.base, 128), np.zeros_like(scene.base)
    for i, (_, face) in enumerate(scene.faces):
        light_layers(face, scene.levels[i], relief[i], cover[i])
    level = lighting.combine(scene.base, relief, cover)
    for i, (_, face) in enumerate(scene.faces):
        if face.code["shadow"]:
            cv2.fillPoly(level[i], [face.outline("shadow")], 75, cv2.LINE_AA, lighting.BITS)
    return level


def _draw(face: Face, light: NDArray[np.uint8], picture: NDArray[np.uint8]) -> None:
    """Draws a face into `picture` (S, S), which holds its background."""
    painter = Painter(picture, face)
    painter.albedo()
    size = len(picture)
    lit = picture.astype(np.uint16)
    lit *= np.asarray(cv2.resize(light, (size, size), interpolation=cv2.INTER_LINEAR_EXACT), dtype=np.uint8)
    lit >>= 7
    np.minimum(lit, 255, out=lit)
    picture[...] = lit
    painter.glasses()
    painter.occluder()


def render_batch(seed: int, indices: Sequence[int], size: int) -> Rendered:
    """`render` for one batch in this thread."""
    d = Draws(seed, indices, RENDER_VERSION)
    f = factors.sample(d)
    scene, labels = _scene(d, f, size)
    images = tones.background(d, size)
    for (face, _), light, picture in zip(scene.faces, _light(scene), images, strict=True):
        _draw(face, light, picture)
    camera.expose(images, f, d)
    points = labels.astype(np.float32) / np.float32(1 << BITS)
    return Rendered(images, points, {name: value.astype(np.float32) for name, value in f.items()})


def pack(part: Rendered) -> bytes:
    """A batch as bytes: pictures, points, then the factors in the order of their names."""
    numbers = [part.factors[name] for name in sorted(part.factors)]
    return b"".join([part.images.tobytes(), part.points.tobytes(), np.stack(numbers).tobytes()])


def unpack(body: bytes, count: int, size: int, names: list[str]) -> Rendered:
    """The reverse of `pack` for `count` pictures and the sorted names of the factors."""
    edge = count * size * size
    images = np.frombuffer(body, np.uint8, edge).reshape(count, size, size)
    points = np.frombuffer(body, np.float32, count * 136, edge).reshape(count, 68, 2)
    numbers = np.frombuffer(body, np.float32, count * len(names), edge + points.nbytes).reshape(len(names), count)
    return Rendered(images, points, dict(zip(names, numbers, strict=True)))


def _check(indices: Sequence[int], size: int, workers: int | None) -> None:
    if not 32 <= size <= 1024:
        raise FkbenchError(f"picture size {size} is outside 32 … 1024", "choose a size in that range, 96 by default")
    if workers is not None and workers < 1:
        raise FkbenchError(f"{workers} rendering workers", "give 1 or more, or leave it to the number of cores")
    if any(int(i) < 0 for i in indices):
        raise FkbenchError("a picture's index is negative", "number pictures from 0")


def _batches(
    seed: int, batches: list[Sequence[int]], size: int, workers: int, names: list[str]
) -> Iterator[tuple[int, Rendered]]:
    """Every batch once, by worker processes where there are several, the rest in this one."""
    left = set(range(len(batches)))
    if workers > 1:
        for number, body in pool.answers(seed, batches, size, workers):
            left.discard(number)
            yield number, unpack(body, len(batches[number]), size, names)
    for number in sorted(left):
        yield number, render_batch(seed, batches[number], size)


def render(
    seed: int,
    indices: Sequence[int],
    size: int = 96,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Rendered:
    """Renders faces.

    Args:
        seed: any whole number; another seed is another population of pictures.
        indices: the pictures' numbers, ≥ 0, in any order, repeats allowed.
        size: side of the pictures in pixels, 32 … 1024; all sizes show the same scenes (noise is per pixel).
        workers: processes; default: the usable cores for 500 pictures or more, else none but this one.
        progress: called in this thread with the number of pictures finished since the last call.

    Returns:
        The pictures in the order of `indices`.

    Raises:
        FkbenchError: a size, index or number of workers out of range.
    """
    _check(indices, size, workers)
    workers = workers or (pool.cores() if len(indices) >= ALONE else 1)
    batch = max(1, min(BATCH, math.ceil(len(indices) / workers)))
    batches = [indices[start : start + batch] for start in range(0, len(indices), batch)]
    names = sorted(factors.sample(Draws(seed, [0], RENDER_VERSION)))
    images = np.empty((len(indices), size, size), np.uint8)
    points = np.empty((len(indices), 68, 2), np.float32)
    numbers = {name: np.empty(len(indices), np.float32) for name in names}
    for number, part in _batches(seed, batches, size, workers, names):
        rows = slice(number * batch, number * batch + len(part.images))
        images[rows], points[rows] = part.images, part.points
        for name in names:
            numbers[name][rows] = part.factors[name]
        if progress is not None:
            progress(len(part.images))
    return Rendered(images, points, numbers)
