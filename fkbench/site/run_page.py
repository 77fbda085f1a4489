"""The page of a ranked row: its runs, one per seed, with curves, predictions, recipe, environment and the command."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fkbench.boards import Board
from fkbench.boards.columns import columns_for, remarks
from fkbench.boards.speed import device_class
from fkbench.boards.speed_cells import footnotes
from fkbench.records import RunRecord
from fkbench.schemes import Scheme
from fkbench.site.assets import shared_page
from fkbench.site.command import run_command
from fkbench.site.escaping import isolated, pretty, script_json, shown
from fkbench.site.faces import error_face
from fkbench.site.measures import Measured
from fkbench.site.predictions import Drawn

HistoryRow = Mapping[str, float | None]
SERIES = ("train_loss", "val_loss", "val_rmse")
MOST_EPOCHS = 300


@dataclass(frozen=True)
class RunPage:
    """What the page of a row is made from.

    Attributes:
        histories: seed → its epochs; seeds without a history are absent.
        drawn: predictions of the first seed.
        why_points: why no pictures are shown.
        picture: name of a file with predictions on pictures, beside the page; None: there is none.
        records: the row's, scrubbed.
        defaults: default settings of the dataset, where it is known.
    """

    board: Board
    found: Measured
    records: Sequence[RunRecord]
    scheme: Scheme | None = None
    histories: Mapping[int, Sequence[HistoryRow]] = field(default_factory=dict)
    drawn: Sequence[Drawn] = ()
    why_points: str = ""
    picture: str | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def html(self) -> str:
        """The whole page; `site.css` and `site.js` lie one folder above it, `index.html` two."""
        row = self.found.row
        back = f"../../index.html#{shown(self.board.slug)}"
        rank = f"Rank {row.rank_label}" if row.rank is not None else "Not ranked"
        body = "\n".join(
            [
                f'<header><p><a href="{back}">{isolated(self.board.title)}</a></p>',
                f"<h1>{isolated(row.label, 200)}</h1><p>{rank}.</p></header>",
                '<main id="main" class="run">',
                *(f'<p class="note" role="note">{isolated(note, 1000)}</p>' for note in self.board.notes),
                self._numbers(),
                self._curves(),
                self._points(),
                self._predictions(),
                self._runs(),
                self._reproduce(),
                self._settings(),
                "</main>",
            ]
        )
        return shared_page(f"{row.label[:80]} – {self.board.title}", body, "../")

    def _numbers(self) -> str:
        row = self.found.row
        items = [
            f"<div><dt>{shown(column.title)}</dt><dd>{isolated(column.cell(row), 200)}</dd></div>"
            for column in columns_for([row])
            if column.title not in ("model", "rank")
        ]
        marks = "; ".join(remarks(row))
        note = f'<p class="legend">Marks: {isolated(marks, 4000)}</p>' if marks else ""
        notes = "".join(f'<p class="legend">{isolated(line, 1000)}.</p>' for line in footnotes([row]))
        return f'<section><h2>Result</h2><dl class="numbers">{"".join(items)}</dl>{note}{notes}</section>'

    def _curves(self) -> str:
        known = {seed: rows for seed, rows in self.histories.items() if rows}
        if not known:
            return (
                "<section><h2>Training</h2><p>No epochs were recorded: nothing is trained step by step.</p></section>"
            )
        data = {"history": [{"seed": seed, **_thinned(rows)} for seed, rows in sorted(known.items())]}
        return (
            '<section><h2>Training</h2><div class="charts">'
            '<figure><figcaption>Loss per epoch</figcaption><div class="loss"></div></figure>'
            '<figure><figcaption>Validation rmse per epoch, px</figcaption><div class="rmse"></div></figure></div>'
            f'<script type="application/json" class="data">{script_json(data)}</script></section>'
        )

    def _points(self) -> str:
        errors = self.found.points
        if not errors:
            return ""
        known = [value for value in errors if math.isfinite(value)]
        names = _names(self.scheme, len(errors))
        order = sorted(range(len(errors)), key=lambda i: (-errors[i] if math.isfinite(errors[i]) else 1.0, i))
        lines = "".join(
            f'<tr><th scope="row" class="left">{isolated(names[i], 60)}</th><td>{_px(errors[i])}</td></tr>'
            for i in order
        )
        face = ""
        if self.scheme is not None and len(self.scheme.layout) == len(errors) and known:
            face = f"<figure>{error_face(self.scheme, errors, min(known), max(known))}</figure>"
        head = '<tr><th scope="col" class="left"><button type="button">point</button></th>'
        head += '<th scope="col"><button type="button">rmse px</button></th></tr>'
        return (
            f'<section><h2>Error per point</h2><div class="charts">{face}<div class="scroll short" role="region" '
            f'tabindex="0" aria-label="Error per point"><table class="sortable asc n-last"><thead>{head}</thead>'
            f"<tbody>{lines}</tbody></table></div></div></section>"
        )

    def _predictions(self) -> str:
        parts = []
        if self.picture:
            alt = "Predicted points on test images"
            parts.append(f'<figure class="wide"><img src="{shown(self.picture)}" alt="{alt}" loading="lazy"></figure>')
        faces = "".join(
            f"<figure><figcaption>{shown(one.what)}: {one.rmse:.3f} px</figcaption>{one.svg}"
            f'<p class="legend">{isolated(one.image, 80)}</p></figure>'
            for one in self.drawn
        )
        if not faces:
            parts.append("<p>There are no predictions beside this result.</p>")
        why = f" {shown(self.why_points)}" if self.why_points and not self.picture else ""
        grows = "From blue by way of orange to red the error of a point grows."  # so in light and in dark colours
        note = f'<p class="legend">Of the first seed. {grows}{why}</p>' if faces else ""
        return f'<section><h2>Predictions</h2><div class="grid-of-faces">{faces}</div>{note}{"".join(parts)}</section>'

    def _runs(self) -> str:
        heads = "".join(
            f'<th scope="col"{kind}><button type="button">{name}</button></th>'
            for name, kind in (
                ("seed", ""), ("rmse px", ""), ("status", ' class="left"'), ("train s", ""),
                ("device", ' class="left"'), ("key", ' class="left"'), ("flags", ' class="left"'),
            )
        )  # fmt: skip
        lines = "".join(_run_line(record) for record in self.records)
        return (
            '<section><h2>Runs</h2><div class="scroll" role="region" tabindex="0" aria-label="Runs">'
            f'<table class="sortable asc n-last"><thead><tr>{heads}</tr></thead>'
            f"<tbody>{lines}</tbody></table></div></section>"
        )

    def _reproduce(self) -> str:
        first = self.records[0]
        known = shown(run_command(self.records, self.defaults), 4000)
        return (
            "<section><h2>Reproduce</h2><p>Trains the same seeds again:</p>"
            f'<pre tabindex="0"><code>{known}</code></pre>'
            "<p>Trains one of them again and says how far it drifts from this result "
            "(with --runs FOLDER before the command where the result is a published one):</p>"
            f'<pre tabindex="0"><code>fkbench reproduce {shown(first.key)}</code></pre></section>'
        )

    def _settings(self) -> str:
        first = self.records[0]
        # Without the scores, which stand above and are long.
        page = first.model_copy(update={"metrics": {}, "baseline": {}}).to_json()
        parts = {
            "Recipe": page["protocol"]["recipe"],
            "Settings that were changed": page["protocol"]["overrides"],
            "Model": page["model"],
            "Data": page["dataset"],
            "Box": {"box": page["box"], "settings": page["box_settings"]},
            "Timing": page["timing"],
            "Device": page["device"],
            "Environment": page["environment"],
        }
        blocks = "".join(
            f"<details{' open' if title == 'Recipe' else ''}><summary>{title}</summary>"
            f'<pre tabindex="0">{pretty(value)}</pre></details>'
            for title, value in parts.items()
            if value
        )
        return f"<section><h2>Recipe and environment</h2><p>Of seed {first.seed}.</p>{blocks}</section>"


def _run_line(record: RunRecord) -> str:
    rmse, timing = record.metric("rmse"), record.timing
    seconds = f"{timing.train_s:.1f}" if timing is not None and timing.train_s is not None else "–"
    status = f"{record.status}: {record.reason}" if record.reason else record.status
    return (
        f'<tr id="run-{record.key}-{record.seed}"><td>{record.seed}</td>'
        f"<td>{_px(math.nan if rmse is None else rmse)}</td>"
        f'<td class="left">{isolated(status)}</td><td>{seconds}</td>'
        f'<td class="left">{isolated(device_class(record))}</td>'
        f'<td class="left"><code>{shown(record.key)}</code></td>'
        f'<td class="left">{isolated(", ".join(record.flags))}</td></tr>'
    )


def _px(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"


def _names(scheme: Scheme | None, count: int) -> Sequence[str]:
    return scheme.points if scheme is not None and len(scheme.points) == count else [f"point {i}" for i in range(count)]


def _thinned(rows: Sequence[HistoryRow]) -> dict[str, list[float | None]]:
    """The epochs as columns; of very many every n-th, and the last."""
    step = math.ceil(len(rows) / MOST_EPOCHS)
    kept = rows if step == 1 else [row for i, row in enumerate(rows) if i % step == 0 or i == len(rows) - 1]
    columns = {"epoch": [float(i + 1) if row.get("epoch") is None else row.get("epoch") for i, row in enumerate(kept)]}
    for name in SERIES:
        values = [row.get(name) for row in kept]
        columns[name] = [v if v is not None and math.isfinite(v) else None for v in values]
    return columns
