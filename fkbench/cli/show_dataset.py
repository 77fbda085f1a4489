"""The page of a dataset: what its plugin says, and where its data is here, what is in it and what leaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from fkbench.cli.session import Session, console, note
from fkbench.cli.show_page import Page, plain_table, plugin_facts, print_facts, print_settings, setting_rows
from fkbench.errors import DataMissingError
from fkbench.finding import FILES
from fkbench.schemes import scheme_of
from fkbench.specs import DatasetSpec

if TYPE_CHECKING:
    from fkbench.datasets.samples import Samples, Split

LOOKED_AT = 400  # frames whose pixel values are looked at, spread over the set
SHOWN = 24


def dataset_page(session: Session, spec: DatasetSpec, picture: Path | None) -> Page:
    """A dataset; where its data is not here, what is known without it, and how to get it.

    Raises:
        FkbenchError: a picture of data that is not here, or data that cannot be read.
    """
    data = _light(spec)
    try:
        samples = _open(session, spec)
    except DataMissingError as error:
        if picture is not None:
            raise
        data |= {"available": False, "reason": data["reason"] or error.message}
        return Page(data, lambda: _write_light(spec, data), (error.message, error.remedy))
    data |= _contents(spec, samples)
    notes = (f"Picture: {_draw(spec, samples, picture)}",) if picture is not None else ()
    return Page(data, lambda: _write_all(spec, data), notes)


def _open(session: Session, spec: DatasetSpec) -> Samples:
    from fkbench.datasets.access import open_samples

    reason = spec.unavailable()
    if reason:
        raise DataMissingError(f"Dataset '{spec.name}' cannot be read here: {reason}.", "Install it with pip.")
    announced: set[str] = set()

    def progress(stage: str, done: int, total: int) -> None:
        if stage not in announced and done < total:
            announced.add(stage)
            note(f"{stage} …")

    return open_samples(spec, session.store, {}, progress, registry=session.registry)


def _light(spec: DatasetSpec) -> dict[str, Any]:
    return {
        "name": spec.name, "kind": "dataset", **plugin_facts(spec), "scheme": spec.scheme_name,
        "points": len(scheme_of(spec).points),
        "splits": [asdict(split) for split in spec.splits], "boxes": list(spec.boxes),
        "defaults": {name: list(pair) for name, pair in spec.defaults.items()}, "channels": spec.channels,
        "scoring": spec.scoring, "embedded": spec.embedded, "terms": asdict(spec.terms), "ways": spec.ways,
        "settings": setting_rows(spec),
    }  # fmt: skip


def _contents(spec: DatasetSpec, samples: Samples) -> dict[str, Any]:
    from fkbench.datasets.leaks import leak_report
    from fkbench.datasets.splits import get_split

    splits: list[tuple[dict[str, Any], Split]] = []
    for row in (asdict(split) for split in spec.splits):
        split = get_split(spec, samples, row["name"])
        splits.append(({**row, "counts": split.counts}, split))
    valid = samples.valid
    names = scheme_of(spec).points
    return {
        "fingerprint": samples.fingerprint, "official": asdict(samples.official),
        "counts": _counts(samples), "sizes": _sizes(samples), "values": _values(samples),
        "missing": {name: int(n) for name, n in zip(names, (~valid).sum(axis=0), strict=True)},
        "splits": [{**row, "leaks": leak_report(samples, split)} for row, split in splits],
    }  # fmt: skip


def _counts(samples: Samples) -> dict[str, Any]:
    found: dict[str, Any] = {
        "labelled": len(samples), "groups": len(set(samples.group)), "duplicate_pairs": len(samples.duplicates),
        "unlabelled": len(samples.unlabelled.ids) if samples.unlabelled else 0,
        "with_every_point": int(samples.valid.all(axis=1).sum()),
    }  # fmt: skip
    if samples.clip is not None:
        found["clips"] = len(set(samples.clip))
    for name in ("convention", "row_kind", "published"):
        values: Sequence[str] | None = getattr(samples, name)
        if values is not None:
            found[name] = dict(sorted(Counter(values).items()))
    return found


def _sizes(samples: Samples) -> dict[str, list[int]]:
    import numpy as np

    shapes = samples.frames.shapes
    return {
        name: [int(v) for v in (shapes[:, axis].min(), np.median(shapes[:, axis]), shapes[:, axis].max())]
        for axis, name in ((1, "width"), (0, "height"), (2, "channels"))
    }


def _values(samples: Samples) -> dict[str, list[float]]:
    import numpy as np

    rows = np.unique(np.linspace(0, len(samples) - 1, min(LOOKED_AT, len(samples))).round().astype(int))
    frames = [samples.frames[int(row)] for row in rows]
    means = [float(frame.mean()) for frame in frames]
    pixels = [min(int(f.min()) for f in frames), float(np.mean(means)), max(int(f.max()) for f in frames)]
    return {
        "pixels": [float(v) for v in pixels],
        "x": _range(samples.points[:, :, 0]),
        "y": _range(samples.points[:, :, 1]),
    }


def _range(values: Any) -> list[float]:
    import numpy as np

    known = values[np.isfinite(values)].astype(np.float64)
    return [float(known.min()), float(known.mean()), float(known.max())] if len(known) else []


def _draw(spec: DatasetSpec, samples: Samples, picture: Path) -> Path:
    import numpy as np

    from fkbench.draw.grids import sample_grid, save

    rows = [int(v) for v in np.unique(np.linspace(0, len(samples) - 1, min(SHOWN, len(samples))).round().astype(int))]
    grid = sample_grid(
        [samples.frames[row] for row in rows],
        [samples.points[row] for row in rows],
        scheme=scheme_of(spec),
        titles=[samples.ids[row] for row in rows],
        columns=6,
    )
    return save(grid, picture)


def _write_all(spec: DatasetSpec, data: Mapping[str, Any]) -> None:
    _write_light(spec, data)
    _write_contents(spec, data)


def _write_light(spec: DatasetSpec, data: Mapping[str, Any]) -> None:
    terms = spec.terms
    shown = "yes" if terms.public else "no"
    print_facts(f"dataset {spec.name}", spec.summary, {
        "usable": data["reason"] or "yes", "plugin": data["plugin"],
        "scheme": f"{data['scheme']}, {data['points']} points", "boxes": ", ".join(spec.boxes),
        "scoring frame": {"own": "the pictures' own pixels", "face224": "faces scaled to 224 px"}[spec.scoring],
        "licence": terms.licence, "terms": terms.url, "may be shown publicly": shown, "note": terms.note,
        "how to get it": spec.ways,
    })  # fmt: skip
    table = plain_table("split", "", "folds", "train", "val", "test", right=("folds", "train", "val", "test"))
    for i, split in enumerate(data["splits"]):
        mark = " (default)" if i == 0 else ""
        counts = [str(split["counts"][part]) if "counts" in split else "" for part in ("train", "val", "test")]
        leaky = "leaky: marked, ranked apart. " if split["leaky"] else ""
        table.add_row(escape(split["name"] + mark), escape(leaky + split["summary"]), str(split["folds"]), *counts)
    console().print(table)
    if spec.settings:
        print_settings(data["settings"], "dataset")


def _write_contents(spec: DatasetSpec, data: Mapping[str, Any]) -> None:
    from fkbench.datasets.leaks import describe_leaks

    counts, official = data["counts"], data["official"]
    local = spec.plugin.path.endswith(FILES)
    unknown = f"as '{spec.plugin.name}' has them" if local else "origin unknown"
    words = {True: "official", False: "not the official ones", None: unknown}
    facts = {name.replace("_", " "): _words(value) for name, value in counts.items()}
    print_facts("", "contents", {
        **facts, "fingerprint": data["fingerprint"],
        "labels": words[official["labels"]], "pixels": words[official["pixels"]],
        **{f"{name}, least / median / greatest": " / ".join(map(str, v)) for name, v in data["sizes"].items()},
        **{f"{name}, least / mean / greatest": " / ".join(f"{n:.4g}" for n in v) for name, v in data["values"].items()},
        "missing per point": _missing(data["missing"]),
    })  # fmt: skip
    for split in data["splits"]:
        print_facts("", f"leaks of {split['name']}", describe_leaks(split["leaks"]))


def _missing(missing: Mapping[str, int]) -> str:
    lacking = {name: count for name, count in missing.items() if count}
    return _words(lacking) if lacking else "none"


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    return str(value)
