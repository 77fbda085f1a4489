r"""Formulas as drawings within the page: no script, no font of the reader's machine.

MathML would be shorter, but browsers draw no root sign where the machine has no mathematical font.
"""

from __future__ import annotations

import html
import re
from functools import cache

from matplotlib import rc_context
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser
from matplotlib.path import Path
from matplotlib.textpath import text_to_path

SIZE = 100.0
"""Font size at which formulas are set; 1 em in the page."""
_COMMANDS = {
    int(code): sign
    for code, sign in zip((Path.MOVETO, Path.LINETO, Path.CURVE3, Path.CURVE4, Path.CLOSEPOLY), "MLQCZ", strict=True)
}


def drawn(content: str) -> str:
    r"""A page's HTML with the formulas that `pymdownx.arithmatex` marked, `\(…\)` and `\[…\]`, drawn."""
    inline = re.sub(r'<span class="arithmatex">\\\((.*?)\\\)</span>', lambda m: svg(m[1]), content)
    return re.sub(
        r'<div class="arithmatex">\\\[(.*?)\\\]</div>',
        lambda m: '<div class="formula">' + svg(m[1].replace(r"\frac", r"\dfrac")) + "</div>",
        inline,
        flags=re.DOTALL,
    )


@cache
def svg(latex: str) -> str:
    """One formula in the colour and size of the text around it.

    Args:
        latex: the part of LaTeX that matplotlib's mathtext knows, HTML-escaped or not.

    Raises:
        ValueError: it is not of that part.
    """
    source = " ".join(html.unescape(latex).split())
    with rc_context({"mathtext.fontset": "stix"}):
        font = FontProperties(size=SIZE)
        width, height, depth, _, _ = MathTextParser("path").parse(f"${source}$", 72, font)
        vertices, codes = text_to_path.get_text_path(font, f"${source}$", ismath=True)
    scale = text_to_path.FONT_SCALE / SIZE
    em = f'width="{width / SIZE:.3f}em" height="{(height + depth) / SIZE:.3f}em"'
    drawing = f'<path d="{_outline(Path(vertices, codes))}" transform="scale(1 -1)"/>'
    box = f'viewBox="0 {-height * scale:.1f} {width * scale:.1f} {(height + depth) * scale:.1f}"'
    return (
        f'<svg class="math" role="img" {em} {box} style="vertical-align: {-depth / SIZE:.3f}em">'
        f"<title>{html.escape(source)}</title>{drawing}</svg>"
    )


def _outline(path: Path) -> str:
    """Corners and curves as SVG has them."""
    pieces = []
    for points, code in path.iter_segments(curves=True, simplify=False):
        numbers = "" if code == Path.CLOSEPOLY else " ".join(f"{value:.1f}" for value in points)
        pieces.append(f"{_COMMANDS[int(code)]}{numbers}")
    return "".join(pieces)
