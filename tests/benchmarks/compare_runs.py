"""Two runs of the benchmarks compared, each by its control: python compare_runs.py before.json after.json.

Exit code 1 where something became slower by more than a quarter relative to the control, in sessions that count.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

SLOWER, DRIFT = 1.25, 0.05


@dataclass(frozen=True)
class Line:
    """One benchmark in both runs: ratios to the control, and the greater drift of the two."""

    name: str
    before: float
    after: float
    drift: float

    @property
    def change(self) -> float:
        return self.after / self.before

    @property
    def verdict(self) -> str:
        if self.drift > DRIFT:
            return "not judged: the control drifted"
        return "SLOWER" if self.change > SLOWER else "faster" if self.change < 1 / SLOWER else "same"


def read(path: Path) -> dict[str, tuple[float, float]]:
    """Name → ratio to the control, drift; those benchmarks that have them."""
    found = {}
    for entry in json.loads(path.read_text(encoding="utf-8"))["benchmarks"]:
        info = entry.get("extra_info", {})
        if "ratio" in info and "control_ms" in info:
            found[entry["name"]] = (float(info["ratio"]), float(info["drift"]))
    return found


def compare(before: dict[str, tuple[float, float]], after: dict[str, tuple[float, float]]) -> list[Line]:
    """What both runs have, by name."""
    both = sorted(before.keys() & after.keys())
    return [Line(name, before[name][0], after[name][0], max(before[name][1], after[name][1])) for name in both]


def main(words: list[str]) -> int:
    if len(words) != 2 or not all(Path(word).is_file() for word in words):
        print("usage: compare_runs.py BEFORE.json AFTER.json (of pytest --benchmark-json)", file=sys.stderr)
        return 2
    before, after = (read(Path(word)) for word in words)
    lines = compare(before, after)
    for line in lines:
        print(f"{line.name:60} {line.before:9.3g} {line.after:9.3g} × {line.change:5.2f}  {line.verdict}")
    for name in sorted(before.keys() ^ after.keys()):
        print(f"{name:60} only {'before' if name in before else 'after'}")
    return int(any(line.verdict == "SLOWER" for line in lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
