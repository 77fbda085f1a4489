"""Arrays, errors, predictions and histories beside a record, and such files by strangers."""

from __future__ import annotations

import pickle
import struct

import numpy as np
import pytest

from fkbench.errors import FkbenchError
from fkbench.records import (
    pack_strings,
    read_arrays,
    read_errors,
    read_history,
    read_predictions,
    unpack_strings,
    write_arrays,
    write_errors,
    write_history,
    write_predictions,
)
from fkbench.score import image_errors


@pytest.fixture
def errors():
    rng = np.random.default_rng(0)
    valid = rng.random((6, 4)) < 0.8
    return image_errors(
        rng.normal(size=(6, 4, 2)), rng.normal(size=(6, 4, 2)), valid, scale=rng.uniform(1, 2, 6),
        normalisers={"inter_ocular": ((0,), (1,))}, ids=[f"é{i}" for i in range(6)], group=list("aabbcc"),
        convention=list("xxxyyy"),
    )  # fmt: skip


def test_arrays_and_metadata_come_back_and_the_bytes_do_not_vary(tmp_path):
    arrays = {"a": np.arange(6.0).reshape(2, 3).T, "b": np.zeros((0, 2), np.int64)}
    metadata = {f"key{i}": str(i) for i in range(12)}
    write_arrays(tmp_path / "one", arrays, metadata)
    write_arrays(tmp_path / "two", dict(reversed(arrays.items())), dict(reversed(metadata.items())))
    found, told = read_arrays(tmp_path / "one")
    assert told == metadata
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 7,
        struct.pack("<Q", 2**60) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 58) + b'{"a":{"dtype":"F64","shape":[9],"data_offsets":[0,72]}}   ',
        pickle.dumps({"a": 1}),
    ],
    ids=["empty", "short", "huge header", "list", "beyond the end", "pickle"],
)
def test_damaged_arrays_are_one_clear_line(tmp_path, content):
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(FkbenchError, match="is damaged"):
        read_arrays(tmp_path / "x.safetensors")


def test_missing_and_oversized_arrays_are_refused(tmp_path):
    with pytest.raises(FkbenchError, match="There is no file"):
        read_arrays(tmp_path / "none")
    write_arrays(tmp_path / "big", {"a": np.zeros(1000)})
    with pytest.raises(FkbenchError, match="larger than"):
        read_arrays(tmp_path / "big", max_bytes=100)


def test_strings_of_any_kind_come_back():
    names = ["", "é", "a\nb", "\0", '"', "ids"]
    assert unpack_strings(pack_strings(names), len(names)) == tuple(names)


@pytest.mark.parametrize(
    "array",
    [np.zeros(3), np.frombuffer(b"{}", np.uint8), np.frombuffer(b"[1]", np.uint8), np.frombuffer(b"\xff", np.uint8)],
    ids=["floats", "object", "numbers", "bytes"],
)
def test_what_is_no_list_of_strings_is_refused(array):
    with pytest.raises(FkbenchError, match="is damaged"):
        unpack_strings(array)


def test_as_many_strings_as_rows_are_needed():
    with pytest.raises(FkbenchError, match="2 names stands beside 3 rows"):
        unpack_strings(pack_strings(["a", "b"]), 3)


def test_errors_per_image_come_back_bit_for_bit(tmp_path, errors):
    write_errors(tmp_path / "e", errors)
    found = read_errors(tmp_path / "e")
    for name in ("ids", "group", "convention", "kind"):
        assert getattr(found, name) == getattr(errors, name)
    for name in ("sum_sq", "sum_sq_x", "sum_sq_y", "sum_abs", "count", "point_sum_sq", "point_count", "native_sum_sq"):
        np.testing.assert_array_equal(getattr(found, name), getattr(errors, name))
        assert getattr(found, name).dtype == getattr(errors, name).dtype
    assert set(found.nme) == set(errors.nme)
    for name, values in errors.nme.items():
        np.testing.assert_array_equal(found.nme[name], values)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("sum_sq", np.zeros(5)),
        ("sum_sq", np.zeros(6, np.int64)),
        ("count", np.zeros(6)),
        ("point_sum_sq", np.zeros(6)),
        ("group", pack_strings(["a"])),
        ("group", None),
        ("sum_abs", None),
        ("nme@inter_ocular", np.zeros((6, 2))),
    ],
)
def test_errors_with_a_wrong_or_missing_array_are_refused(tmp_path, errors, name, array):
    write_errors(tmp_path / "e", errors)
    arrays, _ = read_arrays(tmp_path / "e")
    arrays.pop(name)
    write_arrays(tmp_path / "e", arrays if array is None else {**arrays, name: array})
    with pytest.raises(FkbenchError, match=name):
        read_errors(tmp_path / "e")


def test_predictions_come_back_as_float32(tmp_path):
    points = np.random.default_rng(0).normal(size=(3, 5, 2))
    write_predictions(tmp_path / "p", ["a", "b", "c"], points)
    ids, found = read_predictions(tmp_path / "p")
    assert ids == ("a", "b", "c")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, points.astype(np.float32))


def test_predictions_of_another_shape_are_refused(tmp_path):
    with pytest.raises(ValueError, match="is needed"):
        write_predictions(tmp_path / "p", ["a"], np.zeros((2, 5, 2)))
    write_arrays(tmp_path / "p", {"ids": pack_strings(["a"]), "points": np.zeros((1, 5))})
    with pytest.raises(FkbenchError, match="holds no predicted points"):
        read_predictions(tmp_path / "p")


def test_history_has_the_contracts_columns_and_empty_cells(tmp_path):
    rows = [
        {"epoch": 1, "lr": 0.001, "train_loss": 0.123456789, "seconds": 2.0},
        {"epoch": 2, "val_rmse": float("nan")},
    ]
    write_history(tmp_path / "history.csv", rows)
    text = (tmp_path / "history.csv").read_bytes().decode()
    assert text == "epoch,lr,train_loss,val_loss,val_rmse,seconds\n1,0.001,0.123457,,,2\n2,,,,,\n"
    found = read_history(tmp_path / "history.csv")
    assert found[0] == {
        "epoch": 1, "lr": 0.001, "train_loss": 0.123457, "val_loss": None, "val_rmse": None, "seconds": 2.0,
    }  # fmt: skip
    assert found[1]["val_rmse"] is None


def test_a_column_that_the_history_has_not_is_not_dropped_silently(tmp_path):
    with pytest.raises(ValueError, match="loss2"):
        write_history(tmp_path / "history.csv", [{"epoch": 1, "loss2": 1.0}])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch,lr\n1,2\n", "no history"),
        ("", "no history"),
        ("epoch,lr,train_loss,val_loss,val_rmse,seconds\n1,2\n", "row 2: 2 cells"),
        ("epoch,lr,train_loss,val_loss,val_rmse,seconds\n1,,,,,\n2,abc,,,,\n", "row 3, lr: 'abc'"),
        ("epoch,lr,train_loss,val_loss,val_rmse,seconds\n1.5,,,,,\n", "row 2, epoch"),
    ],
)
def test_a_damaged_history_names_row_and_column(tmp_path, text, message):
    (tmp_path / "history.csv").write_text(text)
    with pytest.raises(FkbenchError, match=message):
        read_history(tmp_path / "history.csv")
