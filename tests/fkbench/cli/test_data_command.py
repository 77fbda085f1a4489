"""`fkbench data`: what it prints, where pictures go, and which exit code says what."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from fkbench.cli import data as command
from fkbench.cli.session import Session
from fkbench.datasets.fingerprints import fingerprint
from fkbench.datasets.importing import write_import
from fkbench.datasets.samples import Frames, Official, Samples, Unlabelled
from fkbench.datasets.store import Store, frame_arrays
from fkbench.errors import DataMissingError, FkbenchError, UnknownNameError
from fkbench.registry import Registry
from fkbench.specs import DatasetSpec, Plugin, Setting, Terms
from fkbench.transforms.catalogue import TRANSFORMS

COUNT = 60


def import_faces(store, path):
    if not path.is_file():
        raise FkbenchError(f"There is no file '{path}'.", "Check it.")
    rng = np.random.default_rng(int(path.read_text()))
    frames = Frames.stack(rng.integers(0, 256, (COUNT, 8, 8), np.uint8))
    points = rng.uniform(0, 7, (COUNT, 15, 2)).astype(np.float32)
    ids = tuple(f"face{i}" for i in range(COUNT))
    meta = {
        "fingerprint": fingerprint("face15", ids, frames, points), "ids": ids, "counts": {"labelled": COUNT},
        "official": {"labels": True, "pixels": None}, "pixels_sha256": "beef", "near_duplicates": 0,
    }  # fmt: skip
    return write_import(store, "faces", meta, {**frame_arrays(frames), "points": points})


def load_faces(store, settings):
    pack = store.read("faces")
    ids = tuple(pack.meta["ids"])
    count = settings.get("count", COUNT)
    spare = Unlabelled(("spare0", "spare1"), Frames.stack(np.zeros((2, 8, 8), np.uint8)))
    frames = Frames.stack(pack.arrays["frames_buffer"].reshape(-1, 8, 8)[:count])
    points, group, official = pack.arrays["points"][:count], ids[:count], Official(True, None)
    return Samples(ids[:count], frames, points, group, pack.meta["fingerprint"], official, unlabelled=spare)


def acquire_faces(store, offline):
    if offline:
        raise FkbenchError("Would be downloaded, and --offline forbids it.", "By hand.")
    path = store.root / "downloads" / "faces.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("3")
    return path


FACES = DatasetSpec(
    name="faces", scheme="face15", load=load_faces, importer=import_faces, acquire=acquire_faces, requires=("faces",),
    settings={"count": Setting(COUNT, "how many")}, terms=Terms("research", note="Accept the terms."), ways="Ask.",
)  # fmt: skip
DERIVED = DatasetSpec(name="derived", scheme="face15", load=load_faces, requires=("faces",), ways="Made from faces.")
DRAWN = DatasetSpec(name="drawn", scheme="face15", load=load_faces, embedded=True, terms=Terms("MIT", public=True))


@pytest.fixture
def session(tmp_path) -> Session:
    found = Session(data=tmp_path / "data")
    found.registry = Registry()
    found.registry.add([FACES, DERIVED, DRAWN], Plugin("test"))
    return found


@pytest.fixture
def call(session):
    def _call(*arguments: str):
        app = typer.Typer()

        @app.callback()
        def root(context: typer.Context) -> None:
            context.obj = session

        command.register(app)
        return CliRunner().invoke(app, ["data", *arguments])

    return _call


@pytest.fixture
def seed_file(tmp_path) -> Path:
    path = tmp_path / "seed.txt"
    path.write_text("1")
    return path


def test_import_says_what_it_found_and_where(call, session, seed_file):
    result = call("import", "faces", "--from", str(seed_file))
    assert result.exit_code == 0, result.output
    assert f"faces imported: {session.store.folder('faces')}" in result.stdout
    assert "labels: official, pixels: official or not: not known" in result.stdout
    assert "sha256 beef; please report it" in result.stdout
    assert "near-duplicates: 0 pairs" in result.stdout
    assert "was here already, nothing changed" in call("import", "faces", "--from", str(seed_file)).stdout


def test_import_as_json_is_one_object(call, seed_file):
    found = json.loads(call("import", "faces", "--from", str(seed_file), "--json").stdout)
    assert found["counts"] == {"labelled": COUNT}
    assert found["unchanged"] is False


def test_import_of_bad_input_is_an_error_with_a_remedy(call, tmp_path):
    result = call("import", "faces", "--from", str(tmp_path / "none"))
    assert isinstance(result.exception, FkbenchError)
    assert result.exception.exit_code == 2
    assert isinstance(call("import", "fases", "--from", "x").exception, UnknownNameError)
    assert isinstance(call("import", "drawn", "--from", "x").exception, FkbenchError)


def test_a_derived_dataset_is_imported_through_its_source(call, seed_file, session):
    result = call("import", "derived", "--from", str(seed_file))
    assert session.store.has("faces")
    assert "derived is made from it" in result.stdout


def test_get_fetches_imports_and_tidies_up(call, session):
    result = call("get", "faces")
    assert result.exit_code == 0, result.output
    assert "Accept the terms." in result.stderr
    assert "faces imported" in result.stdout
    assert list((session.store.root / "downloads").iterdir()) == []
    again = json.loads(call("get", "faces", "--json").stdout)
    assert again["unchanged"] is True


def test_two_that_get_the_same_do_not_delete_each_others_download(session):
    """The second begins while the first imports: it waits, and finds the set there."""
    acquired, found, seconds = [], [], []

    def acquire(store, offline):
        acquired.append(acquire_faces(store, offline))
        return acquired[-1]

    def get():
        found.append(command._fetched(session, faces, faces, force=False))

    def importer(store, path):
        if not seconds:
            seconds.append(threading.Thread(target=get))
            seconds[0].start()
            seconds[0].join(0.5)
        return import_faces(store, path)

    faces = replace(FACES, acquire=acquire, importer=importer)
    get()
    seconds[0].join(60)
    assert found[0]["counts"] == {"labelled": COUNT}
    assert found[1] is None
    assert len(acquired) == 1
    assert not acquired[0].exists()


def test_get_where_nothing_can_be_written(call, session):
    session.data.write_text("a file")
    assert "Cannot write data" in str(call("get", "faces").exception)


def test_get_offline(call, session):
    session.offline = True
    result = call("get", "faces")
    assert "--offline forbids" in result.exception.message


def test_verify_reports_splits_and_is_1_for_damage(call, session, seed_file):
    call("import", "faces", "--from", str(seed_file))
    result = call("verify", "faces")
    assert result.exit_code == 0, result.output
    assert "split default" in result.stdout
    assert "nothing on both sides" in result.stdout
    assert "intact" in result.stdout
    path = session.store.folder("faces") / "points.npy"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 64
    path.write_bytes(raw)
    broken = call("verify", "faces", "--json")
    assert broken.exit_code == 1
    assert any("points.npy" in problem for problem in json.loads(broken.stdout)["problems"])
    text = call("verify", "faces")
    assert text.exit_code == 1
    assert "Damaged: " in text.stderr


def test_verify_of_nothing(call):
    assert isinstance(call("verify", "faces").exception, DataMissingError)


def test_preview_draws_a_grid(call, seed_file, tmp_path):
    call("import", "faces", "--from", str(seed_file))
    out = tmp_path / "pictures" / "faces.png"
    result = call("preview", "faces", "--out", str(out), "--count", "12")
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(out)
    assert "must not be shown in public (research)" in result.stderr
    picture = cv2.imread(str(out))
    assert picture.shape[1] > 6 * 150
    assert picture.shape[0] > 2 * 150


def test_preview_of_one_sample(call, seed_file, tmp_path):
    call("import", "faces", "--from", str(seed_file))
    out = str(tmp_path / "one.png")
    for sample, name in (("3", "face3"), ("face7", "face7")):
        found = json.loads(call("preview", "faces", "--out", out, "--sample", sample, "--json").stdout)
        assert found["ids"] == [name]
    for sample in ("60", "-1"):
        assert "no sample" in call("preview", "faces", "--out", out, "--sample", sample).exception.message
    assert isinstance(call("preview", "faces", "--out", out, "--sample", "fase7").exception, UnknownNameError)


def test_preview_of_transforms_shows_each_alone_and_all_in_turn(call, seed_file, tmp_path):
    call("import", "faces", "--from", str(seed_file))
    out = tmp_path / "t.png"
    words = "rescale=30,random-crop=20,flip"
    found = json.loads(call("preview", "faces", "--out", str(out), "--transforms", words, "--json").stdout)
    assert found["ids"] == ["face0"]
    assert found["transforms"] == [
        "as it is: 8x8", "rescale=30: 30x30", "rescale=30,random-crop=20: 20x20", "flip: 8x8", "all in turn: 20x20"
    ]  # fmt: skip
    assert cv2.imread(str(out)) is not None
    found = json.loads(call("preview", "faces", "--out", str(out), "--transforms", "all", "--json").stdout)
    assert len(found["transforms"]) == 2 + len(TRANSFORMS)


def test_preview_of_parts_and_settings(call, session, seed_file, tmp_path):
    call("import", "faces", "--from", str(seed_file))
    out = str(tmp_path / "part.png")

    def ids(*more: str) -> list[str]:
        return json.loads(call("preview", "faces", "--out", out, "--json", "--count", "60", *more).stdout)["ids"]

    parts = [ids("--part", part) for part in ("train", "val", "test")]
    assert sorted(name for part in parts for name in part) == sorted(ids())
    assert ids("--part", "unlabelled") == ["spare0", "spare1"]
    assert len(ids("--set", "count=20")) == 20


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--part", "tset"), "Unknown part"), (("--count", "0"), "--count 0"),
        (("--split", "x", "--part", "val"), "split"),
        (("--transforms", "blurr"), "transform 'blurr'"), (("--transforms", "blur=x"), "not a number"),
        (("--transforms", "rotation=3,random-crop=9"), "9×9 exceeds"), (("--transforms", "flip=2"), "no value"),
        (("--transforms", "article"), "each model"),
        (("--transforms", "uniform", "--sample", "3"), "training pictures"),
        (("--transforms", "resize=2,blur"), "too small"), (("--transforms", "resize=1,sharpness"), "too small"),
        (("--transforms", "all", "--part", "unlabelled"), "labelled"),
        (("--out", "x.tiff"), "tiff"), (("--set", "cuont=3"), "cuont"), (("--set", "count"), "key=value"),
    ],
)  # fmt: skip
def test_preview_of_what_cannot_be(call, seed_file, more, words):
    call("import", "faces", "--from", str(seed_file))
    result = call("preview", "faces", *more)
    assert isinstance(result.exception, FkbenchError)
    assert words in result.exception.message


def test_public_pictures_carry_no_warning(call, session, seed_file, tmp_path):
    import_faces(Store(session.store.root), seed_file)
    assert call("preview", "drawn", "--out", str(tmp_path / "d.png")).stderr == ""
