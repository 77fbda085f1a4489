"""Grey levels of every part, before lighting: 0 black … 255 white."""

from __future__ import annotations

import numpy as np

from .backdrop import CLUTTER
from .draws import Draws
from .geometry import F64

_BEARD_SHARE = np.array([0.0, 0.28, 0.85, 0.8, 0.85])
"""How much of the hair's tone each kind of beard takes, in the order of `factors.BEARD`."""


def _skin(f: dict[str, F64], d: Draws) -> dict[str, F64]:
    skin, hair = f["skin"], f["hair_tone"]
    depth = d.uniform("tone/depth", 0.6, 1.0)
    dark = {
        "wing": 0.30,
        "base": 0.34,
        "nostril": 0.62,
        "crease": 0.26,
        "fold": 0.16,
        "ear": 0.06,
        "ear_in": 0.28,
        "neck": 0.2,
    }
    out = {name: skin * (1.0 - depth * share) for name, share in dark.items()}
    rouge = d.uniform("tone/lips", 0.12, 0.48)
    out |= {
        "skin": skin,
        "lip_up": skin * (1.0 - rouge),
        "lip_low": skin * (1.04 - rouge * 0.72),
        "seam": skin * (0.72 - rouge * 0.6),
    }
    out["lash"] = np.minimum(skin * (0.65 - 0.35 * depth), 90.0)
    out["lower"] = skin * (1.0 - 0.32 * depth)
    out["lid"] = skin * d.uniform("tone/lid", 0.84, 1.03)
    out["ridge"] = skin * (1.0 - 0.5 * depth * np.clip((np.abs(f["yaw"]) - 8.0) / 40.0, 0.0, 0.8))
    share = _BEARD_SHARE[f["beard"].astype(np.int64)]
    out["beard"] = skin + (np.minimum(hair, skin * 0.9) - skin) * share
    fair = d.uniform("tone/brow", 0.55, 0.95)
    out["brow"] = skin + (np.minimum(hair * 0.8, skin * 0.72) - skin) * fair
    return out


def tones(f: dict[str, F64], d: Draws) -> dict[str, list[int]]:
    """Name → N grey levels as plain integers (what the drawing calls take)."""
    hair = f["hair_tone"]
    out = _skin(f, d) | {
        "sclera": np.clip(120.0 + f["skin"] * 0.45 + d.bell("tone/sclera", 14.0), 120.0, 240.0),
        "iris": d.uniform("tone/iris", 25.0, 125.0),
        "pupil": d.uniform("tone/pupil", 8.0, 25.0),
        "glint": d.uniform("tone/glint", 150.0, 255.0),
        "opening": d.uniform("tone/opening", 15.0, 60.0),
        "teeth": d.uniform("tone/teeth", 165.0, 240.0),
        "hair": hair,
        "streak": np.clip(hair + d.uniform("tone/streak", -26.0, 30.0), 0.0, 255.0),
        "scalp": np.where(f["hair"] == 0, f["skin"] * 0.95, hair * 0.85),
        "body": d.uniform("tone/body", 15.0, 240.0),
        "cloth": d.uniform("tone/cloth", 15.0, 240.0),
        "frame": np.where(
            d.chance("tone/frame_dark", 0.75),
            d.uniform("tone/frame", 10.0, 60.0),
            d.uniform("tone/frame2", 60.0, 230.0),
        ),
        "lens": d.uniform("tone/lens", 10.0, 65.0),
        "glare": d.uniform("tone/glare", 130.0, 255.0),
        "object": d.uniform("tone/object", 10.0, 245.0),
        "hand": f["skin"] * d.uniform("tone/hand", 0.75, 1.05),
        "stripes": d.uniform("tone/stripes", 20.0, 235.0),
        "mic": d.uniform("tone/mic", 15.0, 120.0),
    }
    shapes = d.uniforms("tone/clutter", CLUTTER, 10.0, 245.0)
    out |= {f"clutter{k}": shapes[:, k] for k in range(CLUTTER)}
    return {name: np.clip(np.floor(value), 0, 255).astype(np.int64).tolist() for name, value in out.items()}


def background(d: Draws, size: int) -> np.ndarray:
    """(N, size, size) uint8: a plain gradient in a random direction."""
    base = d.uniform("ground/base", 25.0, 225.0)
    slope = d.bells("ground/slope", 2) * 0.55
    axis = (np.arange(size) + 0.5) * (96.0 / size) - 48.0
    across = np.floor((base[:, None] + slope[:, 0:1] * axis) * 16).astype(np.int16)
    down = np.floor(slope[:, 1:2] * axis * 16).astype(np.int16)
    level = np.add(across[:, None, :], down[:, :, None])
    level >>= 4
    return np.asarray(np.minimum(np.maximum(level, 0), 255).astype(np.uint8))
