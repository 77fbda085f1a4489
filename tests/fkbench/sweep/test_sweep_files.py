"""The file of a sweep and the matrix it means: wrong ones are one line with a remedy."""

from __future__ import annotations

import pytest

from fkbench.errors import FkbenchError
from fkbench.records import RunRecord
from fkbench.sweep import Cell, Matrix, Planned, cells_of, duration, read_sweep, slip, span

FINE = """
[defaults]
seeds = [0, 1]
time-limit = "2h"
set = { "protocol.lr" = 1e-3 }

[[sweep]]
models = ["a", "./b.py"]
datasets = "faces"

[[sweep]]
models = ["a"]
datasets = ["faces", "more"]
seeds = 7
time-limit = 90
set = { dataset = { count = 5, bright = true } }
"""


@pytest.fixture
def read(tmp_path):
    def read_text(text):
        (tmp_path / "s.toml").write_text(text)
        return read_sweep(tmp_path / "s.toml")

    return read_text


def test_defaults_hold_for_every_matrix_unless_it_says_otherwise(read, tmp_path):
    first, second = read(FINE)
    assert first.models == ["a", str(tmp_path / "b.py")]  # files lie beside the file
    assert (first.datasets, first.seeds, first.limit) == (["faces"], [0, 1], 7200)
    assert first.settings == {"protocol": {"lr": "0.001"}}
    assert (second.datasets, second.seeds, second.limit) == (["faces", "more"], [7], 90)
    assert second.settings == {"protocol": {"lr": "0.001"}, "dataset": {"count": "5", "bright": "true"}}
    assert (first.protocols, first.splits, first.boxes) == (("uniform",), ("",), ("",))


def test_seeds_change_last_and_nothing_stands_twice():
    matrix = Matrix(["a", "b"], ["x"], seeds=(0, 1))
    cells = cells_of([matrix, Matrix(["b"], ["x"])], [])
    assert [(cell.seed, cell.model) for cell in cells] == [(0, "a"), (0, "b"), (1, "a"), (1, "b")]


def test_a_matrix_of_absurd_size_is_refused_before_it_is_multiplied_out():
    seeds = range(10_000)
    assert len(cells_of([Matrix(["a"], ["x"], seeds=seeds)] * 2, [])) == 10_000
    many = [str(number) for number in range(10_000)]
    with pytest.raises(FkbenchError, match="at most 10000"):
        cells_of([Matrix(many, many, many, many, many, seeds)], [])
    with pytest.raises(FkbenchError, match="A sweep of 12000 runs is too large"):
        cells_of([Matrix([name], ["x"], seeds=range(6000)) for name in ("a", "b", "c", "d")], [])


def test_a_pattern_means_the_models_that_fit():
    cells = cells_of([Matrix(["res*", "dfk", "./odd*.py"], ["x"])], ["dfk", "resnet18", "resnet50", "vgg"])
    assert [cell.model for cell in cells] == ["resnet18", "resnet50", "dfk", "./odd*.py"]
    with pytest.raises(FkbenchError, match="Unknown model 'rez\\*'"):
        cells_of([Matrix(["rez*"], ["x"])], ["resnet18"])


@pytest.mark.parametrize(("text", "seconds"), [("2h", 7200), ("1h30m", 5400), ("45s", 45), ("90", 90), ("1.5m", 90)])
def test_times(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "2 hours", "h", "-3", "0", "nan", "2h x"])
def test_wrong_times_are_refused(text):
    with pytest.raises(FkbenchError, match="--time-limit"):
        duration(text)


def test_a_time_for_people():
    assert [span(s) for s in (45, 90, 7200, 90061, 0.2)] == ["45s", "1m30s", "2h", "1d1h", "0.2s"]


BODY = 'models = ["a"]\ndatasets = ["x"]\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models = [", "not valid TOML"),
        ("", "no matrix"),
        ("[sweep]\nmodels = ['a']", "no matrix"),
        (BODY, "Keys of a matrix stand below"),
        ("[[sweeps]]\n" + BODY, "Did you mean sweep"),
        ("defaults = 3\n[[sweep]]\n" + BODY, "'defaults' is not a table"),
        ("[[sweep]]\nmodel = ['a']\ndatasets = ['x']", "[[sweep]] 1: 'model'. Did you mean models"),
        ("[[sweep]]\n" + BODY + "[[sweep]]\nmodels = ['a']", "[[sweep]] 2 names no datasets"),
        ("[[sweep]]\nmodels = []\ndatasets = ['x']", "models is [], not a list of names"),
        ("[[sweep]]\nmodels = [3]\ndatasets = ['x']", "models is [3]"),
        ("[[sweep]]\n" + BODY + "seeds = [0.5]", "seeds is [0.5]"),
        ("[[sweep]]\n" + BODY + "seeds = [true]", "seeds is [True]"),
        ("[[sweep]]\n" + BODY + "seeds = [-1]", "seeds is [-1]"),
        ("[[sweep]]\n" + BODY + "set = 3", "set is not a table"),
        ("[[sweep]]\n" + BODY + "set = { lr = 3 }", '"protocol.lr"'),
        ("[[sweep]]\n" + BODY + "set = { 'protocol.lr' = [1] }", "not a single value"),
        ("[[sweep]]\n" + BODY + "epochs = 0", "epochs is 0"),
        ("[[sweep]]\n" + BODY + "device = 3", "device is 3"),
        ("[[sweep]]\n" + BODY + "time-limit = 'long'", "time-limit 'long' is not a time"),
        ("[[sweep]]\n" + BODY + "time-limit = [2]", "time-limit is [2]"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_one_line_with_a_remedy(read, text, said):
    with pytest.raises(FkbenchError) as error:
        read(text)
    assert said in str(error.value)
    assert error.value.remedy
    assert "\n" not in error.value.message


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FkbenchError, match="Cannot read"):
        read_sweep(tmp_path / "no.toml")
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(FkbenchError, match="it is no text"):
        read_sweep(tmp_path / "b.toml")


def test_a_pair_that_does_not_go_together_is_no_slip_but_a_name_that_is_nowhere_possible_is():
    cells = cells_of([Matrix(["a"], ["x", "y"], splits=["one", "two"])], [])

    def planned(*unknown):
        return [
            Planned(cell, "impossible", unknown=True) if (cell.dataset, cell.split) in unknown else Planned(cell, "run")
            for cell in cells
        ]

    assert slip(planned()) is None
    assert slip(planned(("x", "two"))) is None
    assert slip(planned(("x", "two"), ("y", "two"))).cell.split == "two"
    assert slip(planned(("x", "one"), ("x", "two"))).cell.dataset == "x"


def test_a_planned_run_of_files_is_shown_by_the_names_that_tables_state():
    cell = Cell("/home/me/mynet.py", "./faces.toml", seed=3)
    page = {
        "schema": 1, "key": "0" * 16, "status": "failed", "reason": "x", "model": {"name": "mynet"},
        "dataset": {"name": "faces", "split": "s", "fingerprint": "sha256:0"}, "seed": 3, "box": "frame",
        "protocol": {"name": "uniform", "version": 1}, "device": {"type": "cpu"}, "metrics": {},
    }  # fmt: skip
    assert Planned(cell, "impossible").label == "mynet.py@faces.toml seed 3"
    assert Planned(cell, "run", skeleton=RunRecord.model_validate(page)).label == "mynet@faces seed 3"
