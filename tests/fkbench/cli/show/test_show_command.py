"""`fkbench show`: settings, other plugins, and what it says of names that are not there."""

from __future__ import annotations

import pytest

from fkbench.errors import FkbenchError, UnknownNameError


def test_settings_alone(call, answer):
    found = answer(call("faces", "--settings", "--json"))
    assert found == {"name": "faces", "kind": "dataset", "settings": [
        {"name": "count", "default": 40, "help": "how many", "choices": [40, 80]}]}  # fmt: skip
    shown = call("faces", "--settings").stdout
    assert "dataset.count" in shown
    assert "40, 80" in shown
    assert "No settings" in call("numbers", "--settings").stdout
    assert "protocol.lr" in call("uniform", "--settings").stdout


def test_settings_name_their_limits(call, answer):
    (row,) = answer(call("twice", "--kind", "model", "--settings", "--json"))["settings"]
    assert row["help"] == "channels, 1 … 64"


def test_other_plugins(call, answer):
    assert answer(call("plain", "--json"))["kind"] == "runtime"
    assert "as it is" in call("plain").stdout


def test_name_that_two_kinds_share(call, answer):
    with pytest.raises(FkbenchError, match="a model and a metric") as caught:
        call("twice")
    assert "--kind model" in caught.value.remedy
    assert answer(call("twice", "--kind", "metrics", "--json"))["better"] == "higher"
    assert answer(call("twice", "--kind", "model", "--json"))["kind"] == "model"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [(["tinny"], "tiny"), (["unifrom"], "uniform"), (["face86"], "face68"), (["faces", "--kind", "modell"], "models")],
)
def test_unknown_names_are_met_with_near_ones(call, words, wanted):
    with pytest.raises(UnknownNameError) as caught:
        call(*words)
    assert f"Did you mean {wanted}" in caught.value.remedy


def test_names_of_another_kind_are_unknown(call):
    with pytest.raises(UnknownNameError, match="Unknown dataset 'tiny'"):
        call("tiny", "--kind", "dataset")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["uniform", "--graph"], "--graph draws"),
        (["tiny", "--picture"], "--picture draws"),
        (["tiny", "--graph"], "a.bmp"),
        (["faces", "--picture"], "a.bmp"),
    ],
)
def test_pictures_of_the_wrong_thing(call, tmp_path, words, message):
    with pytest.raises(FkbenchError, match=message):
        call(*words, tmp_path / "a.bmp")
    assert list(tmp_path.glob("a*")) == []
