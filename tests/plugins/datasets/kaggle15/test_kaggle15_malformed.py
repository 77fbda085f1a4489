"""What is not Kaggle's table, or is malformed, is refused with the row's number."""

from __future__ import annotations

import pytest

from fkbench.datasets.importing import import_dataset
from fkbench.errors import FkbenchError


def change_row(folder, row: int, change) -> None:
    lines = (folder / "training.csv").read_text().splitlines()
    lines[row] = change(lines[row])
    (folder / "training.csv").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda line: line.rpartition(" ")[0], "has 9215 pixels, not 9216"),
        (lambda line: line + " 7", "has 9217 pixels, not 9216"),
        (lambda line: line.rpartition(" ")[0] + " 256", "has the pixel 256, above 255"),
        (lambda line: line.rpartition(" ")[0] + " 1000", "has the pixel 1000, above 255"),
        (lambda line: line.rpartition(" ")[0] + " nan", "has the pixel 'nan', not a whole number"),
        (lambda line: line.rpartition(" ")[0] + " -1", "has the pixel '-1', not a whole number"),
        (lambda line: line.rpartition(" ")[0] + " 1.5", "has the pixel '1.5', not a whole number"),
        (lambda line: line.rpartition(" ")[0] + "\t17", "something other than digits and blanks"),
        (lambda line: line.rpartition(",")[0] + ",", "has 0 pixels"),
        (lambda line: line.partition(",")[2], "has 30 columns, not 31"),
        (lambda line: "1," + line, "has 32 columns, not 31"),
        (lambda line: "oops", "has 1 columns, not 31"),
        (lambda line: "left," + line.partition(",")[2], "has 'left' as left_eye_center_x"),
        (lambda line: "nan," + line.partition(",")[2], "has 'nan' as left_eye_center_x"),
        (lambda line: "inf," + line.partition(",")[2], "has 'inf' as left_eye_center_x"),
        (lambda line: "400," + line.partition(",")[2], "has point 0 at .* far outside its 96×96 picture"),
    ],
)
def test_a_malformed_row_is_named(spec, store, folder, change, words):
    change_row(folder, 33, change)
    with pytest.raises(FkbenchError, match=words) as caught:
        import_dataset(spec, store, folder)
    assert "Row 33 of" in caught.value.message
    assert "training.csv" in caught.value.message
    assert not store.has("kaggle15")


def test_a_value_lost_here_and_gained_there_is_noticed(spec, store, folder):
    """The block as a whole has the right number of pixels; its rows have not."""
    change_row(folder, 17, lambda line: line.rpartition(" ")[0])
    change_row(folder, 18, lambda line: line + " 7")
    with pytest.raises(FkbenchError, match=r"Row 17 .* has 9215 pixels"):
        import_dataset(spec, store, folder)


def test_a_malformed_test_table_is_named(spec, store, folder):
    text = (folder / "test.csv").read_text()
    (folder / "test.csv").write_text(text.replace("\n2,", "\ntwo,"))
    with pytest.raises(FkbenchError, match=r"Row 2 of .*test.csv' has the ImageId 'two'"):
        import_dataset(spec, store, folder)
    (folder / "test.csv").write_text(text.replace("\n2,", "\n1,"))
    with pytest.raises(FkbenchError, match="an ImageId twice"):
        import_dataset(spec, store, folder)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "ImageId,Image\n1,2\n", "left_eye_center_x"])
def test_another_table_is_refused(spec, store, tmp_path, text):
    (tmp_path / "training.csv").write_text(text)
    with pytest.raises(FkbenchError, match="is not Kaggle's table") as caught:
        import_dataset(spec, store, tmp_path / "training.csv")
    assert "facial-keypoints-detection.zip" in caught.value.remedy


def test_another_folder_is_refused(spec, store, tmp_path):
    with pytest.raises(FkbenchError, match=r"is not Kaggle's data: it has no training.csv"):
        import_dataset(spec, store, tmp_path)


def test_lookup_rows_that_name_no_value(spec, store, folder):
    (folder / "IdLookupTable.csv").write_text("RowId,ImageId,FeatureName,Location\n1,1,left_ear_x,\n")
    with pytest.raises(FkbenchError, match=r"Row 1 of .*IdLookupTable.csv'"):
        import_dataset(spec, store, folder)
