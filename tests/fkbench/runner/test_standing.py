"""Runs whose model's code has changed since are marked and not ranked, published ones are left as they are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fkbench.boards.plans import STALE
from fkbench.cli.main import main
from fkbench.errors import FkbenchError
from fkbench.records import RunStore
from fkbench.runner import standing
from fkbench.runner.standing import Standing


@pytest.fixture
def ran(bench):
    bench.run()
    return bench


def flags(bench, model: str = "tinynet") -> list[str]:
    registry = bench.registry()
    bench.request(registry)  # loads the file as it is now
    (record,) = [one for one in Standing(registry, bench.data).marked(bench.runs.records()) if one.model.name == model]
    return record.flags


def test_code_that_computes_the_same_leaves_a_run_unmarked(ran, monkeypatch):
    assert STALE not in flags(ran)
    probes = []
    monkeypatch.setattr(standing, "probe", lambda *parts, real=standing.probe: probes.append(1) or real(*parts))
    ran.file.write_text(ran.file.read_text() + "\n# a comment\n")
    assert STALE not in flags(ran)
    assert probes == [1]


@pytest.mark.parametrize("change", [("nn.ReLU()", "nn.Relu()"), ("nn.Dropout(0.1)", "Broken()")])
def test_code_that_no_longer_runs_marks_it(ran, change):
    text = ran.file.read_text().replace(*change)
    ran.file.write_text(
        text.replace("@fkbench.model", "class Broken(nn.Module):\n    def forward(self, x):\n"
                     "        return x / 0 if self.training else x[:, :, None].no_such_thing\n\n@fkbench.model")
    )  # fmt: skip
    assert STALE in flags(ran)


def test_a_predictor_has_no_probe_that_could_tell(ran, monkeypatch):
    monkeypatch.setattr(standing, "source_digest", lambda model: "sha256:new")
    assert STALE not in flags(ran, "mean-shape")


def test_code_that_computes_something_else_marks_it(ran):
    before = flags(ran)
    ran.file.write_text(ran.file.read_text().replace("nn.ReLU()", "nn.Tanh()"))
    assert flags(ran) == [*before, STALE]
    assert STALE not in flags(ran, "mean-shape")


def test_a_model_that_is_not_known_here_is_left_as_it_is(ran):
    (record,) = [one for one in ran.runs.records() if one.model.name == "tinynet"]
    assert Standing(ran.registry(), ran.data).marked([record]) == [record]


def test_where_the_files_are_the_same_nothing_is_built(ran, monkeypatch):
    monkeypatch.setattr(standing, "probe", lambda *parts: pytest.fail("a net was built"))
    assert STALE not in flags(ran)


def test_runs_of_one_model_are_looked_at_once(ran, monkeypatch):
    digests = []
    monkeypatch.setattr(standing, "source_digest", lambda model: digests.append(model.name) or "sha256:new")
    registry = ran.registry()
    ran.request(registry)
    (record,) = [one for one in ran.runs.records() if one.model.name == "tinynet"]
    seeds = [record.model_copy(update={"seed": seed}) for seed in range(5)]
    assert len(Standing(registry, ran.data).marked(seeds)) == 5
    assert digests == ["tinynet"]


def test_the_table_says_why_and_what_is_published_does_not_follow_the_code(ran, tmp_path, capsys):
    words = ["--data", str(ran.data), "--runs", str(ran.runs.root), "--plugin", str(ran.file), "leaderboard"]
    shared = tmp_path / "shared"
    assert main([*words, "--publish", str(shared)]) == 0
    ran.file.write_text(ran.file.read_text().replace("nn.ReLU()", "nn.Tanh()"))
    capsys.readouterr()
    before = {path: path.read_bytes() for path in (shared / "results").rglob("*.json")}
    assert main([*words, "--publish", str(shared)]) == 0  # the same result, of the commit that it names
    assert "the model's code has changed since; published as of its commit" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (shared / "results").rglob("*.json")} == before
    assert main([*words, "--json"]) == 0
    assert _reasons(capsys.readouterr().out)["tinynet"].count("stale: the model's code has changed since") == 1
    assert main([*words, "--out", str(tmp_path / "tables")]) == 0
    (table,) = (tmp_path / "tables").glob("synthetic15-*.md")
    assert "stale: the model's code has changed since" in table.read_text().replace("&#39;", "'")
    capsys.readouterr()
    assert main([*words[:2], "--runs", str(shared), *words[4:], "--json"]) == 0
    assert not any("stale" in reason for reason in _reasons(capsys.readouterr().out)["tinynet"])


def _reasons(text: str) -> dict[str, list[str]]:
    (board,) = json.loads(text)["boards"]
    return {row["model"]: row["not_ranked"] for row in board["rows"]}


def test_a_table_of_runs_that_stand_needs_no_torch(ran):
    """Looking at the files is enough where they are the same, and of a predictor in any case."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom fkbench.records import RunStore\n"
        "from fkbench.registry import load_registry\nfrom fkbench.runner.standing import Standing\n"
        f"records = [one for one in RunStore(Path({str(ran.runs.root)!r})).records() if one.model.role == 'baseline']\n"
        "assert len(records) == 3\nassert Standing(load_registry()).marked(records) == records\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


def test_a_full_disk_at_the_very_end_leaves_what_the_training_goes_on_from(bench, monkeypatch):
    def full(store: RunStore, record, folder: Path, without=()):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(RunStore, "write", full)
        with pytest.raises(FkbenchError, match="No space"):
            bench.run()
    (checkpoint,) = bench.runs.root.rglob("checkpoint.safetensors")
    (record,) = [one for one in bench.run() if one.model.name == "tinynet"]
    assert "resumed" in bench.events
    assert not checkpoint.exists()
    assert not {"checkpoint.safetensors", "calibration.json"} & set(record.files)
