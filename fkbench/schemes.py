"""Landmark schemes: names, flip pairs, regions, normalisers and projections of a set of keypoints.

Left and right are the subject's. Orders: `face15` is that of Kaggle's "Facial Keypoints Detection"; `face68` is the
68-point mark-up of Multi-PIE / iBUG 300-W. Standard library only: `fkbench list` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    """

    name: str
    summary: str
    points: tuple[str, ...]
    flip_pairs: tuple[tuple[int, int], ...]
    regions: Mapping[str, tuple[int, ...]]
    normalisers: Mapping[str, Ends]
    projections: Mapping[str, tuple[tuple[int, ...], ...]] = field(default_factory=dict)
    lines: tuple[tuple[int, ...], ...] = ()

    def flip_order(self) -> list[int]:
        """Index order (K,) that puts mirrored points back under their own names."""
        order = list(range(len(self.points)))
        for left, right in self.flip_pairs:
            order[left], order[right] = right, left
        return order


def _span(first: int, last: int) -> tuple[int, ...]:
    return tuple(range(first, last + 1))


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
)  # fmt: skip


def _face68_names() -> tuple[str, ...]:
    parts = (("jaw", 17), ("right_brow", 5), ("left_brow", 5), ("nose_bridge", 4), ("nostril", 5),
             ("right_eye", 6), ("left_eye", 6), ("outer_lip", 12), ("inner_lip", 8))  # fmt: skip
    return tuple(f"{part}_{i}" for part, count in parts for i in range(count))


def _face68_flip_pairs() -> tuple[tuple[int, int], ...]:
    pairs = [(i, 16 - i) for i in range(8)]
    pairs += [(17 + i, 26 - i) for i in range(5)]
    pairs += [(31, 35), (32, 34)]
    pairs += [(36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)]
    pairs += [(48, 54), (49, 53), (50, 52), (55, 59), (56, 58), (60, 64), (61, 63), (65, 67)]
    return tuple(pairs)


FACE68 = Scheme(
    name="face68",
    summary="68 points of the Multi-PIE / 300-W mark-up",
    points=_face68_names(),
    flip_pairs=_face68_flip_pairs(),
    regions={"jaw": _span(0, 16), "right_brow": _span(17, 21), "left_brow": _span(22, 26), "nose": _span(27, 35),
             "right_eye": _span(36, 41), "left_eye": _span(42, 47), "mouth": _span(48, 67)},
    normalisers={"inter_ocular": ((36,), (45,)), "inter_pupil": (_span(36, 41), _span(42, 47))},
    projections={"face15": (_span(42, 47), _span(36, 41), (42,), (45,), (39,), (36,), (22,), (26,), (21,), (17,),
                            (30,), (54,), (48,), (51,), (57,))},
    lines=(_span(0, 16), _span(17, 21), _span(22, 26), _span(27, 30), _span(31, 35), (*_span(36, 41), 36),
           (*_span(42, 47), 42), (*_span(48, 59), 48), (*_span(60, 67), 60)),
)  # fmt: skip

SCHEMES: Mapping[str, Scheme] = {scheme.name: scheme for scheme in (FACE15, FACE68)}
