"""Which device it was is provenance: seeds that were trained on several processors are one row, with one's speeds."""

from __future__ import annotations

import csv
import io
import itertools
import json

import pytest

from fkbench.boards import build, entries_of
from fkbench.boards.plans import row_parts
from fkbench.boards.text import render_csv, render_json
from fkbench.site.measures import measure

OURS, THEIRS = "Example CPU", "Other CPU"
VOID = {"void": True, "void_reason": "not quiet"}


def cpu(name, **changes):
    return {"device": {"type": "cpu", "name": name, "threads": 2}, **changes}


def rows_of(runs):
    (board,) = build(runs.records, runs.errors_of)
    return board.rows


def test_seeds_of_several_processors_make_one_row_that_is_ranked_and_says_so(runs):
    runs.add_seeds("net", 2.0, 2)
    runs.add("net", 2.0, 2, **cpu(THEIRS))
    [row] = rows_of(runs)
    assert (row.seeds, row.rank, row.reasons, row.variant) == ((0, 1, 2), 1, (), "")
    assert row.device == "cpu: Example CPU; cpu: Other CPU"
    assert row.marks == ("seeds of several devices; all speeds are of cpu: Example CPU",)


def test_speeds_are_of_the_device_whose_session_says_most(runs):
    runs.add_seeds("net", 2.0, 2, **{f"timing__{name}": value for name, value in VOID.items()})
    runs.add("net", 2.0, 2, timing__train_s=7.0, **cpu(THEIRS))
    [row] = rows_of(runs)
    assert (row.speed.device, row.speed.session, row.speed.numbers["train_s"]) == ("cpu: Other CPU", "full", 7.0)
    assert row.speed_class == ("cpu: Other CPU", (2,), 1)


def test_speeds_of_one_row_are_never_of_two_devices(runs):
    runs.add_seeds("net", 2.0, 2)
    runs.add("net", 2.0, 2, timing__train_s=7000.0, **cpu(THEIRS))
    assert rows_of(runs)[0].speed.numbers["train_s"] == 41.5


def test_a_seed_that_was_repeated_elsewhere_is_neither_lost_nor_a_contradiction(runs):
    runs.add_seeds("net", 2.0)
    runs.add("net", 2.0, 1, draw_as="elsewhere", **cpu(THEIRS))
    assert sorted((row.device, row.seeds, row.reasons) for row in rows_of(runs)) == [
        ("cpu: Example CPU", (0, 1, 2), ()),
        ("cpu: Other CPU", (1,), ("1 seed, 3 needed",)),
    ]


def test_a_repeat_on_a_device_of_the_row_leaves_the_row_its_seeds(runs):
    runs.add_seeds("net", 2.0, 2)
    runs.add("net", 2.0, 2, **cpu(THEIRS))
    runs.add("net", 2.0, 0, draw_as="elsewhere", **cpu(THEIRS))
    first, second = rows_of(runs)
    assert (first.rank, first.seeds, first.device) == (1, (0, 1, 2), "cpu: Example CPU; cpu: Other CPU")
    assert (second.rank, second.seeds, second.device) == (None, (0,), "cpu: Other CPU")
    assert "several outcomes" not in str(second.reasons)


def test_one_key_on_two_devices_is_two_rows_with_their_own_errors(runs):
    for seed in range(3):
        runs.add("net", 2.0, seed, key=f"{seed:016x}")
        runs.add("net", 2.0, seed, key=f"{seed:016x}", **cpu(THEIRS))
    rows = rows_of(runs)
    assert len({row.keys for row in rows}) == 1
    found = measure(build(runs.records, runs.errors_of)[0], entries_of(runs.records), runs.errors_of)
    assert [one.entry.devices for one in found] == [row.devices for row in rows]
    assert len({row.label for row in rows}) == 2


UNFINISHED = {"status": "oom", "reason": "out of memory", "metrics": {}, "timing": None}


def test_a_failure_on_a_device_that_finished_nothing_is_a_row_of_its_own(runs):
    runs.add_seeds("net", 2.0)
    runs.add("net", seed=3, **UNFINISHED, **cpu(THEIRS))
    first, second = rows_of(runs)
    assert (first.rank, first.failed, second.failed, second.device) == (1, 0, 1, "cpu: Other CPU")


def test_a_failure_on_a_device_of_the_row_counts_against_it(runs):
    runs.add_seeds("net", 2.0)
    runs.add("net", 2.0, 3, **cpu(THEIRS))
    runs.add("net", seed=4, **UNFINISHED, **cpu(THEIRS))
    [row] = rows_of(runs)
    assert (row.rank, row.seeds, row.reasons) == (None, (0, 1, 2, 3), ("seed 4 oom: out of memory",))


def test_a_seed_that_failed_is_made_up_for_by_another_device(runs):
    runs.add_seeds("net", 2.0, 2)
    runs.add("net", seed=2, **UNFINISHED)
    runs.add("net", 2.0, 2, **cpu(THEIRS))
    [row] = rows_of(runs)
    assert (row.rank, row.seeds, row.failed) == (1, (0, 1, 2), 0)
    assert "seed 2 on cpu: Example CPU oom: out of memory; finished elsewhere" in row.marks
    assert "1 more record of the same seeds set aside" in row.marks


def test_a_stale_repeat_elsewhere_takes_no_seed_out_of_a_row(runs):
    runs.add_seeds("net", 2.0)
    for seed in (2, 3, 4):
        runs.add("net", 2.0, seed, draw_as="elsewhere", flags=["stale"], **cpu("A CPU that is first by name"))
    first, second = rows_of(runs)
    assert (first.rank, first.seeds, first.device) == (1, (0, 1, 2), "cpu: Example CPU")
    assert (second.rank, second.seeds) == (None, (2, 3, 4))


def test_the_newest_contract_then_more_sessions_then_the_name_say_which_device_speeds_are_of(runs):
    def device_of_speeds(model, *devices):
        for seed, (name, version) in enumerate(devices):
            runs.add(model, 2.0, seed, timing__version=version, **cpu(name))
        return next(row for row in rows_of(runs) if row.model == model).speed.device

    assert device_of_speeds("newest", ("A", 1), ("A", 1), ("B", 2)) == "cpu: B"
    assert device_of_speeds("more", ("A", 1), ("B", 1), ("B", 1)) == "cpu: B"
    assert device_of_speeds("name", ("B", 1), ("A", 1)) == "cpu: A"


def test_tables_for_programs_say_which_device_speeds_are_of(runs):
    runs.add_seeds("net", 2.0, 2)
    runs.add("net", 2.0, 2, **cpu(THEIRS))
    (board,) = build(runs.records, runs.errors_of)
    assert json.loads(render_json(board))["rows"][0]["timing"]["device"] == "cpu: Example CPU"
    assert next(csv.DictReader(io.StringIO(render_csv(board))))["speed_device"] == "cpu: Example CPU"


@pytest.mark.parametrize(("precisions", "parts"), [(("fp16", "bf16"), 2), (("bf16", "bf16"), 1), ((None, "bf16"), 2)])
def test_devices_of_one_type_that_train_with_other_precisions_are_apart(runs, precisions, parts):
    for seed, precision in enumerate(precisions):
        device = {"type": "cuda", "name": f"GPU {seed}"}
        runs.add("net", 2.0, seed, device=device, **({"timing__precision": precision} if precision else {}))
    assert len(rows_of(runs)) == parts


def test_one_device_with_two_precisions_makes_two_rows_and_moves_no_other(runs):
    x, y = ({"device": {"type": "cuda", "name": name}} for name in ("X", "Y"))
    for seed, device, precision in ((0, x, "bf16"), (1, x, "bf16"), (2, y, "bf16"), (5, x, "fp32")):
        runs.add("net", 2.0, seed, timing__precision=precision, **device)
    runs.add("net", seed=6, **UNFINISHED, **y)
    assert sorted((row.seeds, row.failed) for row in rows_of(runs)) == [((0, 1, 2), 1), ((5,), 0)]


def test_types_of_device_are_apart_whatever_their_seeds(runs):
    runs.add_seeds("net", 2.0, 2)
    runs.add("net", 2.0, 2, device={"type": "cuda", "name": "GPU"})
    assert {row.seeds for row in rows_of(runs)} == {(0, 1), (2,)}


def test_the_order_of_records_does_not_decide_which_devices_go_together(runs):
    for name, seeds in ((OURS, (0, 1)), (THEIRS, (1, 2)), ("Third CPU", (0, 3)), ("Fourth CPU", (4,))):
        for seed in seeds:
            runs.add("net", 2.0, seed, draw_as=f"net on {name}", **cpu(name))

    def found(records):
        return sorted(sorted((one.device.name, one.seed) for one in part) for part in row_parts(records))

    orders = itertools.islice(itertools.permutations(runs.records), 0, None, 401)
    assert {str(found(order)) for order in orders} == {str(found(runs.records))}
    assert [[seed for _, seed in part] for part in found(runs.records)] == [[0, 1, 4, 2, 3], [1, 0]]
