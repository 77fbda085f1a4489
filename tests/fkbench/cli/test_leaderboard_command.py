"""`fkbench leaderboard`: terminal, files, JSON, and what it says where there is nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from fkbench.cli import leaderboard as command
from fkbench.cli.session import Session
from fkbench.errors import FkbenchError
from fkbench.records import ERRORS_FILE, RECORD_FILE, RunRecord, RunStore, plan_key, write_errors
from fkbench.score import image_errors, summary


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def put(store):
    """Write a run with errors per image of a given size."""

    def _put(model: str, scale: float, seed: int, dataset: str = "faces") -> Path:
        rng = np.random.default_rng([seed, int(scale * 100)])
        truth = np.zeros((40, 3, 2)) + np.array([[0, 0], [9, 0], [4, 9]])
        names = [str(i) for i in range(40)]
        errors = image_errors(
            truth + rng.normal(0, scale, truth.shape), truth, np.ones((40, 3), bool), scale=1.0,
            normalisers={"inter_ocular": ((0,), (1,))}, ids=names, group=names,
        )  # fmt: skip
        page = {
            "key": plan_key({"model": model, "seed": seed, "dataset": dataset}),
            "status": "done",
            "model": {"name": model, "source": f"sha256:{model}"},
            "dataset": {"name": dataset, "split": "honest", "fingerprint": "sha256:0123456789"},
            "protocol": {"name": "fair", "version": 1, "frozen": True, "ranked": True},
            "seed": seed,
            "box": "whole",
            "device": {"type": "cpu", "name": "CPU"},
            "metrics": summary(errors),
        }
        record = RunRecord.model_validate(page)
        folder = store.start(store.folder(dataset, model, record.key))
        write_errors(folder / ERRORS_FILE, errors)
        return Path(store.write(record, folder).path)

    return _put


@pytest.fixture
def call(store):
    def _call(*arguments: str):
        app = typer.Typer()

        @app.callback()
        def root(context: typer.Context) -> None:
            context.obj = Session(runs=store.root)

        command.register(app)
        result = CliRunner().invoke(app, ["leaderboard", *arguments], env={"COLUMNS": "100", "TERM": "dumb"})
        if isinstance(result.exception, FkbenchError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result

    return _call


@pytest.fixture
def three_models(put, store):
    for seed in range(3):
        put("good", 1.0, seed)
        put("bad", 3.0, seed)
    put("lone", 2.0, 0)
    return store.root


def test_the_terminal_shows_ranks_and_reasons(call, three_models):
    out = call().stdout
    lines = [line.split() for line in out.splitlines()]
    assert out.startswith("faces, split honest, fair v1, box whole")
    assert next(line for line in lines if "good" in line)[:2] == ["1", "good"]
    assert next(line for line in lines if "bad" in line)[:2] == ["2", "bad"]
    assert next(line for line in lines if "lone" in line)[:2] == ["–", "lone"]
    assert "lone: 1 seed, 3 needed" in out


def test_out_writes_the_boards_and_an_index_and_prints_the_paths(call, three_models, tmp_path):
    out = tmp_path / "tables"
    printed = call("--out", str(out)).stdout.splitlines()
    slug = "faces-honest-fair-v1-whole-01234567"
    files = [*(f"{slug}.{ending}" for ending in ("md", "csv", "json", "tex")), "index.md"]
    assert printed == [str(out / name) for name in (*files, "index.html")]
    assert (out / f"{slug}.csv").read_text().startswith("model,rmse,")
    assert f"({slug}.md)" in (out / "index.md").read_text()
    assert not list(out.glob(".*"))


def test_json_is_one_value_with_all_boards(call, three_models, tmp_path):
    page = json.loads(call("--json", "--out", str(tmp_path / "t")).stdout)
    assert [row["model"] for row in page["boards"][0]["rows"]] == ["good", "bad", "lone"]
    assert len(page["files"]) == 5
    assert {Path(name).suffix for name in page["pages"]} == {".html", ".css", ".js"}
    assert all(Path(name).is_file() for name in (*page["files"], *page["pages"]))


def test_out_writes_a_page_for_each_ranked_row_and_takes_away_those_of_rows_that_are_gone(call, three_models, tmp_path):
    out = tmp_path / "tables"
    call("--out", str(out))
    assert sorted(path.name.split("-")[0] for path in out.glob("pages/*/*.html")) == ["bad", "good"]
    index = (out / "index.html").read_text()
    for path in out.glob("pages/*/*.html"):
        assert f'href="{path.relative_to(out)}"' in index
    mine = next(out.glob("pages/*")) / "mine.html"
    mine.write_text("<p>not by the program</p>")
    shutil.rmtree(next(iter(Path(three_models).glob("*/bad"))))
    call("--out", str(out))
    assert sorted(path.name.split("-")[0] for path in out.glob("pages/*/*.html")) == ["good", "mine.html"]
    assert ">bad<" not in (out / "index.html").read_text()


def test_what_cannot_be_read_is_named_in_json_too(call, three_models):
    file = next(Path(three_models).glob("*/good/*/record.json"))
    file.write_text(file.read_text()[:100])
    page = json.loads(call("--json").stdout)
    assert list(page["damaged"]) == [str(file)]
    assert "damaged" in page["damaged"][str(file)]
    for file in Path(three_models).glob("*/*/*/record.json"):
        file.write_text("{")
    with pytest.raises(FkbenchError, match=r"None of 7 results in .* can be read\. '.*record.json' is damaged"):
        call("--json")


def test_tables_are_not_written_over_those_of_a_published_folder(call, three_models, tmp_path):
    shared = tmp_path / "shared"
    call("--out", str(shared))
    (shared / "results" / "of mine").mkdir(parents=True)
    call("--out", str(shared))  # any folder may have one of this name
    (shared / "results" / "of mine" / "net-0123456789abcdef.json").write_text("{}")
    (shared / "index.md").write_text("theirs")
    with pytest.raises(FkbenchError, match="is a published folder") as caught:
        call("--out", str(shared))
    assert "--publish" in caught.value.remedy
    assert (shared / "index.md").read_text() == "theirs"


def test_one_dataset_only(call, three_models, put):
    put("good", 1.0, 0, dataset="others")
    assert {board["dataset"] for board in json.loads(call("--json").stdout)["boards"]} == {"faces", "others"}
    boards = json.loads(call("--json", "--dataset", "others").stdout)["boards"]
    assert [board["dataset"] for board in boards] == ["others"]


def test_no_runs_and_no_runs_on_a_dataset_are_clear_errors(call, put):
    with pytest.raises(FkbenchError, match="There are no runs") as caught:
        call()
    assert "fkbench run" in caught.value.remedy
    put("good", 1.0, 0)
    with pytest.raises(FkbenchError, match="'face'") as caught:
        call("--dataset", "face")
    assert "Did you mean faces" in caught.value.remedy


def test_a_damaged_record_is_reported_and_the_others_are_shown(call, three_models, put):
    folder = put("broken", 1.0, 0)
    (folder / RECORD_FILE).write_text('{"schema": 99}')
    result = call("--json")
    assert "newer fkbench" in result.stderr
    assert len(json.loads(result.stdout)["boards"][0]["rows"]) == 3


def test_a_folder_that_cannot_be_written_is_a_clear_error(call, three_models, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FkbenchError, match="Cannot write"):
        call("--out", str(tmp_path / "file"))
