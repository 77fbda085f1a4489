"""What varies from picture to picture: pose, expression, tones, hair, things worn, things in the way, camera.

All factors are drawn independently of one another (the few exceptions are written out), so that slices by one factor
are not slices by another, and nothing in the background tells where the face is.
"""

from __future__ import annotations

import numpy as np

from . import modes
from .draws import Draws
from .geometry import F64, close_lids
from .pose import EYE_MIDPOINT, PIXELS_PER_MM, Pose

HAIR = ("bald", "short", "fringe", "long", "curly", "parted", "receding", "cap", "headscarf")
OCCLUDER = ("none", "hand", "bar", "scarf", "microphone", "card", "strand", "corner")
GLASSES = ("none", "clear", "dark")
BEARD = ("none", "stubble", "full", "goatee", "moustache")


def sample(draws: Draws) -> dict[str, F64]:
    """Name → (N,) float64: every scalar factor (codes as whole numbers)."""
    d = draws
    wide = d.chance("yaw_wide", 0.2)
    f: dict[str, F64] = {
        "yaw": np.where(wide, d.uniform("yaw_any", -40, 40), d.bell("yaw", 13.0, 40.0)),
        "pitch": d.bell("pitch", 7.0, 20.0),
        "roll": d.bell("roll", 6.0, 20.0),
        "light": d.uniform("light", -1.0, 1.0),
        "light_height": d.uniform("light_height", -0.9, 0.35),
        "contrast": d.uniform("contrast", 0.25, 1.0),
        "ambient": d.uniform("ambient", 0.5, 0.88),
        "skin": d.uniform("skin", 80.0, 225.0),
        "hair_tone": np.where(
            d.chance("hair_dark", 0.6), d.uniform("hair_low", 12, 70), d.uniform("hair_any", 30, 235)
        ),
        "hair": d.pick("hair", (8, 20, 14, 16, 10, 12, 8, 7, 5)).astype(np.float64),
        "glasses": d.pick("glasses", (72, 19, 9)).astype(np.float64),
        "beard": d.pick("beard", (66, 12, 8, 6, 8)).astype(np.float64),
        "occluder": d.pick("occluder", (76, 5, 4, 3, 4, 3, 3, 2)).astype(np.float64),
        "blur": d.pick("blur", (56, 32, 10, 2)).astype(np.float64),
        "noise": np.where(d.chance("noisy", 0.8), d.uniform("noise", 0.0, 6.0), d.uniform("noise_more", 4.0, 13.0)),
        "clutter": np.floor(d.uniform("clutter", 0.0, 13.0)),
        "exposure": 0.03 + d.bell("exposure", 0.11, 0.3),
        "gain": d.uniform("gain", 0.75, 1.2),
        "shadow": d.chance("shadow", 0.08).astype(np.float64),
        "coarse": d.pick("coarse", (88, 9, 3)).astype(np.float64),
    }
    return f | expression(d)


def expression(d: Draws) -> dict[str, F64]:
    """Strengths of the expression modes, the lids and the gaze."""
    speaks = d.chance("speaks", 0.4)
    smiles = d.chance("smiles", 0.45)
    shut = d.chance("shut", 0.07)
    blink = np.where(shut, d.uniform("blink_shut", 0.6, 1.0), d.uniform("blink", -0.2, 0.3))
    return {
        "expression": np.where(speaks, d.uniform("open", 0.05, 1.0) * d.uniform("open_less", 0.3, 1.0), 0.0),
        "smile": np.where(smiles, d.uniform("smile", 0.3, 1.25), d.bell("smile_not", 0.3, 0.8)),
        "smirk": d.bell("smirk", 0.3, 1.0),
        "pucker": np.where(d.chance("puckers", 0.1), d.uniform("pucker", 0.3, 1.0), 0.0),
        "grin": np.where(smiles, d.uniform("grin", -0.2, 1.0), 0.0),
        "brow_raise": d.bell("brow_raise", 0.5, 1.4),
        "brow_furrow": np.where(d.chance("furrows", 0.3), d.uniform("brow_furrow", 0.0, 1.2), 0.0),
        "jaw_side": d.bell("jaw_side", 0.3, 1.0),
        "blink_right": np.clip(blink + d.bell("blink_r", 0.05), -0.2, 1.0),
        "blink_left": np.clip(blink + d.bell("blink_l", 0.05), -0.2, 1.0),
        "gaze_x": d.bell("gaze_x", 2.2, 5.0),
        "gaze_y": d.bell("gaze_y", 1.0, 2.2),
    }


def shapes(d: Draws, f: dict[str, F64]) -> F64:
    """(N, 68, 3) each face's points in head coordinates: identity, then expression, then lids."""
    strengths = {name: d.bell(f"identity/{name}", 1.0, 2.6) for name in modes.IDENTITY}
    strengths |= {name: f[name] for name in modes.EXPRESSION if name in f}
    strengths["open"] = f["expression"]
    strengths["grin"] = np.maximum(f["grin"], 0.0)
    scatter = d.bells("scatter", 68 * 3).reshape(len(d), 68, 3) * 0.45
    points = modes.deform(strengths, scatter)
    return close_lids(points, np.stack([f["blink_right"], f["blink_left"]], axis=-1))


def pose(d: Draws, f: dict[str, F64]) -> Pose:
    """Pose and camera, framed as Kaggle's pictures are: 36 px between the pupils of a frontal face, ±8 %."""
    eyes = np.stack(
        [EYE_MIDPOINT[0] + d.bell("shift_x", 1.8, 5.0), EYE_MIDPOINT[1] + d.bell("shift_y", 1.8, 5.0)], axis=-1
    )
    turned = np.abs(f["yaw"]) / 40.0
    scale = PIXELS_PER_MM * (1.0 + d.bell("scale", 0.04, 0.08)) * (1.0 + 0.08 * turned * turned)
    return Pose(f["yaw"], f["pitch"], f["roll"], d.uniform("distance", 450.0, 1600.0), scale, eyes)
