"""Landmark schemes: names, flip pairs, regions, normalisers and projections of a set of keypoints.

Left and right are the subject's. Orders: `face15` is that of Kaggle's "Facial Keypoints Detection"; `face68` is the
68-point mark-up of Multi-PIE / iBUG 300-W. Standard library only: `fkbench list` reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fkbench.errors import UnknownNameError

if TYPE_CHECKING:
    from fkbench.specs import DatasetSpec

Ends = tuple[tuple[int, ...], tuple[int, ...]]
"""The two ends of a normalising distance; each is the mean of some points."""


@dataclass(frozen=True)
class Scheme:
    """A landmark scheme of K points.

    Attributes:
        name: what datasets refer to.
        summary: one line.
        points: K point names, in order.
        flip_pairs: pairs of indices that change places when the picture is mirrored.
        regions: region name → indices, every point in exactly one region.
        normalisers: distance name → its two ends (`inter_ocular` is that of the outer eye corners).
        projections: other scheme's name → for each of its points the indices here whose mean it is.
        lines: chains of indices drawn as outlines.
        layout: K positions (x, y) of a neutral frontal face in the unit square, y down, as it looks to the camera; for
            pictures of the scheme itself. Empty: none is known.
    """

    name: str
    summary: str
    points: tuple[str, ...]
    flip_pairs: tuple[tuple[int, int], ...]
    regions: Mapping[str, tuple[int, ...]]
    normalisers: Mapping[str, Ends]
    projections: Mapping[str, tuple[tuple[int, ...], ...]] = field(default_factory=dict)
    lines: tuple[tuple[int, ...], ...] = ()
    layout: tuple[tuple[float, float], ...] = ()

    def flip_order(self) -> list[int]:
        """Index order (K,) that puts mirrored points back under their own names."""
        order = list(range(len(self.points)))
        for left, right in self.flip_pairs:
            order[left], order[right] = right, left
        return order


def _span(first: int, last: int) -> tuple[int, ...]:
    return tuple(range(first, last + 1))


def _face68_flip_pairs() -> tuple[tuple[int, int], ...]:
    pairs = [(i, 16 - i) for i in range(8)]
    pairs += [(17 + i, 26 - i) for i in range(5)]
    pairs += [(31, 35), (32, 34)]
    pairs += [(36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)]
    pairs += [(48, 54), (49, 53), (50, 52), (55, 59), (56, 58), (60, 64), (61, 63), (65, 67)]
    return tuple(pairs)


# Drawn by hand for this project: the half of the face on the camera's left, and the points of the middle line.
_HALF68 = {
    0: (0.080, 0.360), 1: (0.088, 0.470), 2: (0.108, 0.580), 3: (0.140, 0.680), 4: (0.190, 0.772),
    5: (0.258, 0.848), 6: (0.335, 0.905), 7: (0.416, 0.940), 8: (0.500, 0.950),
    17: (0.140, 0.255), 18: (0.195, 0.208), 19: (0.262, 0.190), 20: (0.332, 0.200), 21: (0.400, 0.226),
    27: (0.500, 0.345), 28: (0.500, 0.420), 29: (0.500, 0.495), 30: (0.500, 0.566),
    31: (0.420, 0.615), 32: (0.460, 0.632), 33: (0.500, 0.642),
    36: (0.210, 0.356), 37: (0.262, 0.322), 38: (0.322, 0.322), 39: (0.374, 0.362), 40: (0.320, 0.382),
    41: (0.262, 0.382),
    48: (0.338, 0.758), 49: (0.395, 0.724), 50: (0.458, 0.704), 51: (0.500, 0.714),
    57: (0.500, 0.834), 58: (0.448, 0.828), 59: (0.388, 0.802),
    60: (0.372, 0.760), 61: (0.452, 0.744), 62: (0.500, 0.750), 66: (0.500, 0.780), 67: (0.450, 0.776),
}  # fmt: skip


def _face68_layout() -> tuple[tuple[float, float], ...]:
    whole = dict(_HALF68)
    for a, b in _face68_flip_pairs():
        known, mirrored = (a, b) if a in _HALF68 else (b, a)
        x, y = _HALF68[known]
        whole[mirrored] = (round(1.0 - x, 6), y)
    return tuple(whole[i] for i in range(68))


_FACE15_OF_68 = (_span(42, 47), _span(36, 41), (42,), (45,), (39,), (36,), (22,), (26,), (21,), (17,),
                 (30,), (54,), (48,), (51,), (57,))  # fmt: skip


def _projected(
    layout: tuple[tuple[float, float], ...], parts: tuple[tuple[int, ...], ...]
) -> tuple[tuple[float, float], ...]:
    return tuple(
        (round(sum(layout[i][0] for i in part) / len(part), 6), round(sum(layout[i][1] for i in part) / len(part), 6))
        for part in parts
    )


FACE15 = Scheme(
    name="face15",
    summary="15 points of Kaggle's Facial Keypoints Detection",
    points=(
        "left_eye_center", "right_eye_center",
        "left_eye_inner_corner", "left_eye_outer_corner",
        "right_eye_inner_corner", "right_eye_outer_corner",
        "left_eyebrow_inner_end", "left_eyebrow_outer_end",
        "right_eyebrow_inner_end", "right_eyebrow_outer_end",
        "nose_tip", "mouth_left_corner", "mouth_right_corner",
        "mouth_center_top_lip", "mouth_center_bottom_lip",
    ),
    flip_pairs=((0, 1), (2, 4), (3, 5), (6, 8), (7, 9), (11, 12)),
    regions={"left_eye": (0, 2, 3), "right_eye": (1, 4, 5), "left_brow": (6, 7), "right_brow": (8, 9),
             "nose": (10,), "mouth": (11, 12, 13, 14)},
    normalisers={"inter_ocular": ((3,), (5,)), "inter_pupil": ((0,), (1,))},
    lines=((5, 4), (2, 3), (9, 8), (6, 7), (12, 13, 11, 14, 12)),
    layout=_projected(_face68_layout(), _FACE15_OF_68),
)  # fmt: skip


def _face68_names() -> tuple[str, ...]:
    parts = (("jaw", 17), ("right_brow", 5), ("left_brow", 5), ("nose_bridge", 4), ("nostril", 5),
             ("right_eye", 6), ("left_eye", 6), ("outer_lip", 12), ("inner_lip", 8))  # fmt: skip
    return tuple(f"{part}_{i}" for part, count in parts for i in range(count))


FACE68 = Scheme(
    name="face68",
    summary="68 points of the Multi-PIE / 300-W mark-up",
    points=_face68_names(),
    flip_pairs=_face68_flip_pairs(),
    regions={"jaw": _span(0, 16), "right_brow": _span(17, 21), "left_brow": _span(22, 26), "nose": _span(27, 35),
             "right_eye": _span(36, 41), "left_eye": _span(42, 47), "mouth": _span(48, 67)},
    normalisers={"inter_ocular": ((36,), (45,)), "inter_pupil": (_span(36, 41), _span(42, 47))},
    projections={"face15": _FACE15_OF_68},
    lines=(_span(0, 16), _span(17, 21), _span(22, 26), _span(27, 30), _span(31, 35), (*_span(36, 41), 36),
           (*_span(42, 47), 42), (*_span(48, 59), 48), (*_span(60, 67), 60)),
    layout=_face68_layout(),
)  # fmt: skip

SCHEMES: Mapping[str, Scheme] = {scheme.name: scheme for scheme in (FACE15, FACE68)}


def scheme_of(spec: DatasetSpec) -> Scheme:
    """The landmark scheme of a dataset.

    Raises:
        UnknownNameError: it names one that is not built in.
    """
    if isinstance(spec.scheme, Scheme):
        return spec.scheme
    if spec.scheme not in SCHEMES:
        raise UnknownNameError(f"landmark scheme of the dataset {spec.name}:", spec.scheme, SCHEMES)
    return SCHEMES[spec.scheme]


def known_schemes(datasets: Iterable[DatasetSpec]) -> dict[str, Scheme]:
    """The built-in schemes and those that datasets bring, by name."""
    brought = [spec.scheme for spec in datasets if isinstance(spec.scheme, Scheme)]
    return {scheme.name: scheme for scheme in (*brought[::-1], *SCHEMES.values())}


def scheme_identity(scheme: str | Scheme) -> str:
    """What stands for a scheme in a fingerprint: the name of a built-in one, for any other the name and a digest.

    The digest is over what decides numbers (points, flip pairs, normalisers): two people's schemes of one name are not
    taken for one another.
    """
    if isinstance(scheme, str) or SCHEMES.get(scheme.name) == scheme:
        return scheme if isinstance(scheme, str) else scheme.name
    import hashlib  # loads OpenSSL, which `fkbench list` need not wait for
    import json

    stated = [scheme.points, sorted(map(sorted, scheme.flip_pairs)), sorted(scheme.normalisers.items())]
    digest = hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()
    return f"{scheme.name}:{digest[:16]}"
