"""Old records are lifted version by version, newer ones refused with the remedy."""

from __future__ import annotations

import json

import pytest

from fkbench.errors import FkbenchError
from fkbench.records import decode, encode
from fkbench.records.upgrade import upgraded


def _from_zero(page):
    """A made-up version 0 called the seed `random_seed` and had no box."""
    page["seed"] = page.pop("random_seed")
    return {**page, "box": "whole"}


def _zero(page):
    old = page(schema=0)
    old["random_seed"] = old.pop("seed")
    del old["box"]
    return old


def test_an_old_record_is_lifted_to_the_current_schema(page):
    record = decode(json.dumps(_zero(page)).encode(), {0: _from_zero})
    assert record.box == "whole"
    assert record.seed == 0
    assert json.loads(encode(record))["schema"] == 1


def test_the_chain_applies_every_step_in_order_and_leaves_the_given_page_alone():
    steps = {n: lambda page, n=n: {**page, "trace": [*page["trace"], n]} for n in range(3)}
    old = {"schema": 0, "trace": []}
    assert upgraded(old, steps, current=3) == {"schema": 3, "trace": [0, 1, 2]}
    assert old == {"schema": 0, "trace": []}


def test_an_old_record_without_a_way_up_says_so(page):
    with pytest.raises(FkbenchError, match="Schema 0 cannot be read any more"):
        decode(json.dumps(_zero(page)).encode(), {})


def test_a_newer_record_is_refused_with_the_remedy(page):
    newer = json.dumps(page(schema=2, hologram=True)).encode()
    with pytest.raises(FkbenchError, match="newer fkbench") as caught:
        decode(newer, source="there/record.json")
    assert "there/record.json" in caught.value.message
    assert "newer version of fkbench" in caught.value.remedy


@pytest.mark.parametrize("version", [None, "1", True, 1.0], ids=repr)
def test_a_page_that_states_no_version_is_no_record(page, version):
    with pytest.raises(FkbenchError, match="no schema version"):
        decode(json.dumps(page(schema=version)).encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe{}",
        b'{"schema": NaN}',
        b"[" * 100_000,
        b'{"schema": ' + b"9" * 10_000 + b"}",
        b'{"schema": 1, "metrics": ' + b'{"a": ' * 100 + b"1" + b"}" * 100 + b"}",
    ],
    ids=["empty", "half", "list", "null", "bytes", "nan", "deep", "huge number", "deep metrics"],
)
def test_a_damaged_page_is_one_clear_line(data):
    with pytest.raises(FkbenchError) as caught:
        decode(data, source="x/record.json")
    assert caught.value.message.startswith("'x/record.json'")
    assert "\n" not in str(caught.value)


def test_the_first_wrong_key_is_named(page):
    with pytest.raises(FkbenchError, match=r"model\.parameters"):
        decode(json.dumps(page(model__parameters="many")).encode())
