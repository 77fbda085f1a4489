"""`fkbench show` of models: layers, files of one's own, and those that cannot be built."""

from __future__ import annotations

import pytest

from fkbench.errors import FkbenchError, UnknownNameError


def test_model_as_json(call, answer):
    found = answer(call("tiny", "--json"))
    assert (found["parameters"], found["macs"]) == (40 + 144 * 30 + 30, 36 * 36 + 144 * 30)
    assert (found["input"], found["outputs"], found["source"]) == ([1, 8], 30, "A paper")
    assert [layer["type"] for layer in found["layers"]] == ["Conv2d", "ReLU", "Flatten", "Linear"]
    assert found["layers"][0]["output"] == [4, 6, 6]
    assert found["settings"] == [{"name": "width", "default": 4, "help": "channels", "choices": []}]
    assert answer(call("tiny", "--json", "--scheme", "face68"))["outputs"] == 136


def test_model_for_people(call):
    shown = call("tiny").stdout
    for words in ("a [small] net", "A paper", "other loss", "Conv2d", "4×6×6", "1→4, k3 s1", "4 390", "model.width"):
        assert words in shown


def test_model_that_needs_real_numbers(call, answer):
    assert answer(call("numbers", "--json"))["parameters"] == 64 * 30 + 30


def test_predictor_has_no_layers(call, answer, tmp_path):
    found = answer(call("lookup", "--json"))
    assert (found["parameters"], found["layers"], found["role"]) == (None, [], "baseline")
    with pytest.raises(FkbenchError, match="without layers"):
        call("lookup", "--graph", tmp_path / "x.png")


def test_model_whose_packages_are_missing(call, answer):
    found = answer(call("elsewhere", "--json"))
    assert (found["available"], found["parameters"]) == (False, None)
    assert "no_such_package" in found["reason"]


def test_model_that_cannot_be_built(call):
    with pytest.raises(FkbenchError, match="RuntimeError: no such layer") as caught:
        call("broken")
    assert caught.value.exit_code == 2


def test_graph_is_written_and_named_on_stderr(call, answer, tmp_path):
    result = call("tiny", "--json", "--graph", tmp_path / "net.svg")
    assert "<svg" in (tmp_path / "net.svg").read_text()
    assert "net.svg" in result.stderr
    assert answer(result)["name"] == "tiny"


def test_local_file(call, answer, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "import fkbench\nfrom torch import nn\n\n\n@fkbench.model('mine', input=(1, 8))\n"
        "def mine(channels, size, outputs):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, outputs))\n"
    )
    found = answer(call(file, "--json"))
    assert (found["name"], found["parameters"], found["source"]) == ("mine", 64 * 30 + 30, str(file))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x = 1\n", "marks 0 plugins"),
        ("x = \n", "SyntaxError"),
        (None, "There is no file"),
        ("1 / 0\n", "ZeroDivisionError"),
    ],
)
def test_bad_local_file(call, tmp_path, content, message):
    file = tmp_path / "bad.py"
    if content is not None:
        file.write_text(content)
    with pytest.raises(FkbenchError, match=message) as caught:
        call(file)
    assert caught.value.remedy


def test_unknown_scheme(call):
    with pytest.raises(UnknownNameError, match="scheme 'face14'"):
        call("tiny", "--scheme", "face14")
