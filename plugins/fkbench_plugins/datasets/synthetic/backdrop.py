"""What lies behind and in front of the head: background clutter, stripes, occluders, cast shadows.

Outlines are (N, P, 2) pixels of the 96-pixel picture. The background is drawn without knowledge of the face.
"""

from __future__ import annotations

import numpy as np

from .controls import circle
from .draws import Draws
from .geometry import F64

CLUTTER = 12
STRIPES = 8
FINGERS = 4


def turns(d: Draws, name: str, count: int) -> F64:
    """(N, count, 2) unit vectors of all directions, by the rational form of the circle (exact arithmetic)."""
    t = d.uniforms(name, count, -1.0, 1.0)
    sign = np.where(d.uniforms(f"{name}/sign", count) < 0.5, -1.0, 1.0)
    whole = 1.0 + t * t
    return np.stack([sign * (1.0 - t * t) / whole, 2.0 * t / whole], axis=-1)


def strip(start: F64, end: F64, half: F64) -> F64:
    """(N, 4, 2) the band of half width `half` (N,) from start to end, both (N, 2)."""
    along = end - start
    length = np.sqrt(along[:, 0] * along[:, 0] + along[:, 1] * along[:, 1]) + 1e-9
    across = np.stack([-along[:, 1], along[:, 0]], axis=-1) * (half / length)[:, None]
    return np.stack([start + across, end + across, end - across, start - across], axis=1)


def blob(centre: F64, radius: F64, direction: F64, flat: F64, rough: F64) -> F64:
    """(N, P, 2) closed shapes about `centre` (N, 2): `rough` (N, P) scales each corner, `flat` (N,) the short axis."""
    ring = circle(rough.shape[1])
    u = ring[None, :, 0] * rough * radius[:, None]
    v = ring[None, :, 1] * rough * (radius * flat)[:, None]
    c, s = direction[:, 0:1], direction[:, 1:2]
    return np.stack([centre[:, 0:1] + u * c - v * s, centre[:, 1:2] + u * s + v * c], axis=-1)


def clutter(d: Draws) -> dict[str, F64]:
    """Twelve shapes anywhere in the picture (bars, triangles, discs, blots) and eight parallel stripes."""
    n = len(d)
    out = {}
    way = turns(d, "clutter/turn", CLUTTER)
    centre = d.uniforms("clutter/place", 2 * CLUTTER, -8.0, 104.0).reshape(n, CLUTTER, 2)
    radius = 4.0 + 30.0 * d.uniforms("clutter/radius", CLUTTER) * d.uniforms("clutter/radius2", CLUTTER)
    thin = d.uniforms("clutter/thin", CLUTTER) < 0.35
    flat = np.where(
        thin, d.uniforms("clutter/thickness", CLUTTER, 0.03, 0.12), d.uniforms("clutter/flat", CLUTTER, 0.35, 1.0)
    )
    length = np.where(thin, 2.2, 1.0)
    angular = (d.uniforms("clutter/angular", CLUTTER) < 0.5) & ~thin
    rough = d.uniforms("clutter/rough", 10 * CLUTTER, 0.0, 1.0).reshape(n, CLUTTER, 10)
    rough = np.where(angular[..., None], 0.35 + rough, 0.92 + 0.16 * rough)
    for k in range(CLUTTER):
        out[f"clutter{k}"] = blob(centre[:, k], radius[:, k] * length[:, k], way[:, k], flat[:, k], rough[:, k])
    ways = turns(d, "stripes/turn", 1)[:, 0]
    step = d.uniform("stripes/step", 5.0, 15.0)
    across = np.stack([-ways[:, 1], ways[:, 0]], axis=-1)
    lines = []
    for k in range(STRIPES):
        middle = 48.0 + across * ((k - STRIPES / 2 + 0.5) * step)[:, None]
        lines += [middle - ways * 90.0, middle + ways * 90.0]
    out["stripes"] = np.stack(lines, axis=1)
    return out


def shadow(d: Draws) -> dict[str, F64]:
    """The edge of a cast shadow: a broad band across the picture."""
    way = turns(d, "shadow/turn", 1)[:, 0]
    start = d.uniforms("shadow/place", 2, 5.0, 90.0)
    return {"shadow": strip(start - way * 150.0, start + way * 150.0, d.uniform("shadow/half", 8.0, 40.0))}


def _anchor(face: F64, d: Draws, name: str) -> F64:
    """(N, 2) one of eight places about the face's rim and mouth."""
    spots = np.array([3, 5, 8, 11, 13, 48, 54, 57])
    return np.asarray(face[np.arange(len(face)), spots[d.pick(name, [1.0] * 8)]])


def hand(face: F64, d: Draws) -> dict[str, F64]:
    """A palm outside the face's rim with four fingers reaching inwards."""
    tip = _anchor(face, d, "hand/place") + d.bells("hand/off", 2) * 3.0
    inward = face[:, 30] - tip
    length = np.sqrt(inward[:, 0] * inward[:, 0] + inward[:, 1] * inward[:, 1]) + 1e-9
    inward = inward / length[:, None] + turns(d, "hand/turn", 1)[:, 0] * 0.35
    across = np.stack([-inward[:, 1], inward[:, 0]], axis=-1)
    palm = tip - inward * 15.0
    out = {
        "palm": blob(palm, np.full(len(d), 13.0), inward, np.full(len(d), 0.95), d.uniforms("hand/rough", 10, 0.9, 1.1))
    }
    reach = d.uniforms("hand/reach", FINGERS, 3.0, 9.0)
    for k in range(FINGERS):
        root = palm + across * (5.6 * (k - 1.5))
        end = root + inward * (11.0 + reach[:, k])[:, None] + across * (0.8 * (k - 1.5))
        nail = end + inward * 2.0
        band = strip(root, end, np.full(len(d), 2.7))
        out[f"finger{k}"] = np.concatenate([band[:, :2], nail[:, None], band[:, 2:]], axis=1)
    return out


def objects(face: F64, d: Draws) -> dict[str, F64]:
    """Bar, mask-like scarf, microphone, card, strands of hair, something big in a corner."""
    n = len(d)
    way = turns(d, "object/turn", 1)[:, 0]
    place = _anchor(face, d, "object/place") + d.bells("object/off", 2) * 4.0
    out = {"bar": strip(place - way * 140.0, place + way * 140.0, d.uniform("bar/half", 2.5, 6.5))}
    rim = face[:, 2:15]
    height = d.uniform("scarf/height", 0.0, 1.0)[:, None]
    top = face[:, 29] * height + face[:, 33] * (1.0 - height)
    out["mask"] = np.concatenate([rim + (rim - face[:, 30:31]) * 0.05, top[:, None]], axis=1)
    ball = face[:, 57] + d.bells("mic/off", 2) * np.array([6.0, 2.5]) + np.array([0.0, 5.0])
    size = d.uniform("mic/size", 6.0, 10.0)
    out["mic"] = blob(ball, size, way, np.ones(n), np.ones((n, 10)))
    foot = np.stack([ball[:, 0] + d.uniform("mic/lean", -30.0, 30.0), np.full(n, 125.0)], axis=-1)
    out["stick"] = strip(ball, foot, size * 0.5)
    edge = face[:, 30] + (place - face[:, 30]) * 1.35
    card = d.uniforms("card/size", 2, 8.0, 17.0)
    out["card"] = strip(edge - way * card[:, 0:1], edge + way * card[:, 0:1], card[:, 1])
    for k in range(3):
        start = face[:, 27] + np.array([0.0, -45.0]) + d.bells(f"strand{k}/a", 2) * np.array([12.0, 2.0])
        end = face[:, 30] + d.bells(f"strand{k}/b", 2) * np.array([22.0, 12.0])
        out[f"strand{k}"] = strip(start, end, d.uniform(f"strand{k}/half", 0.5, 1.6))
    corner = np.where(d.uniforms("corner/which", 2) < 0.5, -4.0, 100.0)
    out["corner"] = blob(
        corner, d.uniform("corner/size", 26.0, 44.0), way, np.full(n, 0.8), d.uniforms("corner/rough", 10, 0.8, 1.1)
    )
    return out
