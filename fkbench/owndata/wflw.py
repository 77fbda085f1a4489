"""WFLW's text lines: coordinates, rectangle, six attributes and the picture's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fkbench.errors import FkbenchError
from fkbench.owndata.description import LabelFile
from fkbench.owndata.faces import Face, numbers, plain_name, read_text
from fkbench.schemes import Scheme

ATTRIBUTES = ("pose", "expression", "illumination", "make_up", "occlusion", "blur")
RECTANGLE = 4


def read(file: LabelFile, scheme: Scheme, options: Mapping[str, Any]) -> list[Face]:
    """Lines of 2K coordinates, 4 of a rectangle (not used), 6 attributes (0 or 1), and the name, parted by blanks.

    The format of `list_98pt_rect_attr_*.txt` (Wu et al., Look at Boundary, CVPR 2018) with K = 98.

    Raises:
        FkbenchError: a line of another length, or something that is no number; file and line are named.
    """
    count = 2 * len(scheme.points)
    before = count + RECTANGLE + len(ATTRIBUTES)
    faces = []
    for number, line in enumerate(read_text(file.labels).splitlines(), start=1):
        if not line.strip():
            continue
        where = f"Line {number} of '{file.labels}'"
        cells = line.split(maxsplit=before)
        if len(cells) != before + 1:
            raise FkbenchError(
                f"{where} has {len(cells)} values, not {before + 1}: {count} coordinates, 4 of the rectangle, "
                f"6 attributes and the name.",
                "Complete the line, or remove it. Is it the right scheme?",
            )
        values = numbers(cells[:before], where)
        fields = {name: cells[count + RECTANGLE + i] for i, name in enumerate(ATTRIBUTES)}
        wrong = next((name for name, text in fields.items() if text not in ("0", "1")), None)
        if wrong is not None:
            raise FkbenchError(f"{where} has the attribute {wrong} = '{fields[wrong][:40]}'.", "It is 0 or 1.")
        points = np.array(values[:count], np.float64).reshape(-1, 2)
        faces.append(Face(plain_name(cells[before]), points, where, fields))
    if not faces:
        raise FkbenchError(f"'{file.labels}' is empty.", "Lines are those of list_98pt_rect_attr_train.txt.")
    return faces
