"""Error against throughput as SVG: a point per row, the front as steps, hover text and a link at each point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fkbench.boards.numbers import number, short_count
from fkbench.site.escaping import shown
from fkbench.site.measures import Measured

WIDTH, HEIGHT = 560, 360
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 14, 44
LOG_RATIO = 4.0
LEAST_RANGE = 2.2
"""A logarithmic axis reaches so many times below and above its middle: two ticks at least."""
LABEL_LETTERS = 22  # as in scripts/pictures.js, with the two below
LABEL_HEIGHT, LETTER_WIDTH = 14.0, 6.6


@dataclass(frozen=True)
class Dot:
    """A row in the plot.

    Attributes:
        x: pictures/s.
        y: rmse, px.
        counts: ranked and of comparable speed: may be on the front.
    """

    found: Measured
    x: float
    y: float
    counts: bool


@dataclass(frozen=True)
class Scale:
    """An axis from values to places in the picture."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool

    def __call__(self, value: float) -> float:
        low, high, at = (math.log(v) if self.logarithmic else v for v in (self.low, self.high, value))
        return self.start + (self.end - self.start) * (at - low) / (high - low)

    def ticks(self) -> list[float]:
        """Round values within the axis, about five."""
        if self.logarithmic:
            return _log_ticks(self.low, self.high)
        step = 10 ** math.floor(math.log10((self.high - self.low) / 4))
        step *= next(m for m in (1, 2, 5, 10) if (self.high - self.low) / (m * step) <= 6)
        first = math.ceil(self.low / step)
        return [round(n * step, 10) for n in range(first, math.floor(self.high / step) + 1)]


def dots_of(rows: Sequence[Measured]) -> list[Dot]:
    """The rows that have both numbers and are believed; a void session has no throughput."""
    dots = []
    for found in rows:
        speed = found.row.speed.numbers.get("infer_images_per_s")
        if speed and found.row.rmse and speed > 0 and found.row.rmse > 0 and found.row.believed:
            counts = found.row.rank is not None and found.row.comparable_speed
            dots.append(Dot(found, speed, found.row.rmse, counts))
    return dots


def front(dots: Sequence[Dot]) -> list[Dot]:
    """Those that no other one beats in both, fastest last."""
    best: list[Dot] = []
    for dot in sorted((d for d in dots if d.counts), key=lambda d: (-d.x, d.y, d.found.place)):
        if not best or dot.y < best[-1].y:
            best.append(dot)
    return best[::-1]


def pareto_svg(rows: Sequence[Measured], board: str) -> str:
    """The picture; empty where no row has both numbers.

    Args:
        rows: of one board.
        board: its id on the page, for links to rows.
    """
    dots = dots_of(rows)
    if not dots:
        return ""
    x = _scale([d.x for d in dots], LEFT, WIDTH - RIGHT, logarithmic=True)
    ys = [d.y for d in dots]
    y = _scale(ys, HEIGHT - BOTTOM, TOP, logarithmic=max(ys) / min(ys) > LOG_RATIO)
    best = front(dots)
    parts = [*_axes(x, y), _steps(best, x, y), *(_dot(dot, x, y, board, dot in best) for dot in dots)]
    parts += _labels(best, [(x(dot.x), y(dot.y)) for dot in dots], x, y)
    label = "Error against throughput; each point is a row of the table"
    return f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="group" aria-label="{label}">{"".join(parts)}</svg>'


def _scale(values: Sequence[float], start: float, end: float, *, logarithmic: bool) -> Scale:
    low, high = min(values), max(values)
    if logarithmic:
        middle, room = math.sqrt(low) * math.sqrt(high), 1.25
        low, high = min(low / room, middle / LEAST_RANGE), max(high * room, middle * LEAST_RANGE)
        return Scale(low, min(high, 1e300), start, end, True)
    room = 0.08 * (high - low) or 0.1 * high
    return Scale(low - room, high + room, start, end, False)


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        ticks = [m * 10.0**e for e in decades for m in steps if low <= m * 10.0**e <= high]
        if len(ticks) <= 7:
            return ticks
    return ticks[:: math.ceil(len(ticks) / 7)]


def _axes(x: Scale, y: Scale) -> list[str]:
    base, parts = HEIGHT - BOTTOM, []
    for value in x.ticks():
        place = f"{x(value):.1f}"
        parts.append(f'<path class="grid" d="M{place} {TOP}V{base}"/>')
        parts.append(f'<text class="tick" x="{place}" y="{base + 16}" text-anchor="middle">{short_count(value)}</text>')
    for value in y.ticks():
        down = y(value)
        parts.append(f'<path class="grid" d="M{LEFT} {down:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 6}" y="{down + 4:.1f}" text-anchor="end">{value:.4g}</text>')
    parts.append(f'<text class="axis" x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 6}" text-anchor="middle">images/s →</text>')
    middle = (TOP + base) / 2
    turned = f'transform="rotate(-90 13 {middle})" x="13" y="{middle}"'
    parts.append(f'<text class="axis" {turned} text-anchor="middle">← rmse, px</text>')
    return parts


def _steps(best: Sequence[Dot], x: Scale, y: Scale) -> str:
    if not best:
        return ""
    path = f"M{x(best[0].x):.1f} {y(best[0].y):.1f}"
    path += "".join(f"V{y(dot.y):.1f}H{x(dot.x):.1f}" if i else "" for i, dot in enumerate(best))
    # From the best to the faster ones: an error is reached by all speeds up to that of its point.
    return f'<path class="front" d="{path}"/>'


def _dot(dot: Dot, x: Scale, y: Scale, board: str, on_front: bool) -> str:
    row = dot.found.row
    kind = " ".join(
        name
        for name, holds in (("dot", True), ("best", on_front), ("open", not dot.counts), ("base", row.role != "entry"))
        if holds
    )
    tip = dot_text(dot)
    return (
        f'<a href="#{board}-r{dot.found.place}" aria-label="{shown(tip)}" data-tip="{shown(tip)}">'
        f'<circle class="{kind}" cx="{x(dot.x):.1f}" cy="{y(dot.y):.1f}" r="5"/></a>'
    )


def dot_text(dot: Dot) -> str:
    """What hovering says."""
    row = dot.found.row
    name = row.label if len(row.label) <= 80 else f"{row.label[:79]}…"
    rank = f"rank {row.rank_label}" if row.rank is not None else "not ranked"
    interval = f" ({row.rmse_ci[0]:.3f} – {row.rmse_ci[1]:.3f})" if row.rmse_ci else ""
    apart = "" if row.comparable_speed else " · speed not comparable"
    return f"{name} · {rank} · rmse {number(dot.y, 3)} px{interval} · {short_count(dot.x)} images/s{apart}"


def _labels(best: Sequence[Dot], dots: Sequence[tuple[float, float]], x: Scale, y: Scale) -> list[str]:
    """Names on the front, where they fit without covering one another or a point."""
    taken = [(cx - 5, cx + 5, cy + 4) for cx, cy in dots]
    parts = []
    for dot in best:
        name = dot.found.row.label
        words = name if len(name) <= LABEL_LETTERS else f"{name[: LABEL_LETTERS - 1]}…"
        width, cx, at = LETTER_WIDTH * len(words), x(dot.x), y(dot.y) - 9
        left = cx + 8 if cx + 8 + width < WIDTH else cx - 8 - width
        if at < TOP + 8:
            at = y(dot.y) + 18
        if any(abs(at - y0) < LABEL_HEIGHT and left < end and start < left + width for start, end, y0 in taken):
            continue
        taken.append((left, left + width, at))
        parts.append(f'<text class="name" x="{left:.1f}" y="{at:.1f}">{shown(words)}</text>')
    return parts
