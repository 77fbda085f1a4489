"""What the columns of a board mean, in a line each, for readers of the page who have nothing else at hand."""

from __future__ import annotations

from fkbench.site.escaping import shown

MEANINGS = {
    "rank": "1 + models that are significantly better; = marks a shared rank; – not ranked, with the reason",
    "rmse px": "root mean square error of the points' coordinates over all seeds, pixels of the scoring frame; "
    "rmse px, NAME: over the images with that label convention",
    "95 % CI": "interval of that error over groups (persons, near-duplicates) and, where there are several, seeds",
    "NME %": "mean distance between predicted and labelled points, in per cent of that between the outer eye corners",
    "AUC@8 %": "area below the curve of cumulative error up to 8 %, over that of a perfect model: larger is better",
    "FR@8 %": "failure rate, images with an NME above 8 %",
    "worst 1 %": "share of the whole squared error that lies in the worst 1 % of the images, per cent",
    "× baseline": "rmse over that of the board's best baseline: above 1 the model is worse than it",
    "own loss": "of article rows, each in its article's own unit: no two are comparable",
    "params": "parameters of the net",
    "MACs": "multiply-accumulates for one picture",
    "train s": "seconds in training steps, median over seeds; ≤ where the machine was not quiet",
    "train img/s": "training pictures per second",
    "infer img/s": "pictures per second in batches",
    "p50 ms": "median latency of one picture",
    "p99 ms": "latency that 99 % of the calls do not exceed",
    "peak MiB": "greatest memory of inference",
    "seeds": "trainings that finished; 2/3 where one of three did not",
    "device": "what it was trained and timed on; of seeds on several, marks name the one of the speeds",
    "trust": "what checks have found: self-reported – nobody has checked; arithmetic checked – the predictions give "
    "this score; predicted again – the weights give the predictions; reproduced – a new training gives this score",
}


def glossary() -> str:
    """Folded, for the top of the page."""
    lines = "".join(f"<dt>{shown(title)}</dt><dd>{shown(text)}</dd>" for title, text in MEANINGS.items())
    return f'<details class="glossary"><summary>What the columns mean</summary><dl>{lines}</dl></details>\n'
