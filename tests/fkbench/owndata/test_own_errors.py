"""Wrong input on purpose: one line that names the file, the row or the key, and a remedy."""

from __future__ import annotations

import json
import os
import struct
import zlib
from pathlib import Path

import pytest

from fkbench.errors import FkbenchError

CSV = 'format = "csv"\nlabels = "labels.csv"\npictures = "images"\n'
COCO = 'format = "coco"\nlabels = "labels.json"\npictures = "images"\n'
PTS = 'format = "pts"\nlabels = "pts"\npictures = "images"\n'
WFLW = 'format = "wflw"\nlabels = "list_rect_attr.txt"\npictures = "images"\n'


def assert_refused(opened, path, words):
    with pytest.raises(FkbenchError, match=words) as caught:
        opened(path)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 600
    return text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CSV.replace("format", "formt"), r"Unknown key in '.*faces\.toml': 'formt'. Did you mean format"),
        (CSV.replace('"csv"', "csv"), r"'.*faces\.toml' is not TOML: .*line 1"),
        (CSV.replace('"csv"', '"cvs"'), "Unknown format in .*: 'cvs'. Did you mean csv"),
        (CSV.replace('"csv"', "3"), r"'format' in .* must be a text, not 3"),
        (CSV.replace("labels.csv", "lables.csv"), r"there is no file '.*lables\.csv'"),
        (CSV.replace('"images"', '"image"'), r"there is no folder '.*image'"),
        ('format = "csv"\n', "has no 'labels'"),
        ('labels = "labels.csv"\n', "has no 'format'"),
        ('format = "pts"\nlabels = "labels.csv"\n', r"there is no folder '.*labels\.csv'.*Labels of pts are a folder"),
        (CSV + "delimiter = ';;'\n", "'delimiter' in .* must be one character"),
        (CSV + "category = 'face'\n", "'category' in .* belongs to the format coco, not csv"),
        (CSV + "origin = 2\n", "'origin' in .* must be 0, 0.5 or 1"),
        (CSV + "channels = 4\n", r"'channels' in .* must be 1 \(grey\) or 3"),
        (CSV + "channels = true\n", "'channels' in .* must be a whole number, not True"),
        (CSV + "crops = 'no'\n", "'crops' in .* must be true or false"),
        (CSV + "scoring = 'face'\n", "Unknown scoring in .*: 'face'. Did you mean face224"),
        (CSV + "boxes = []\n", "'boxes' in .* must be a list of at least one box"),
        (CSV + "boxes = 'frame'\n", "'boxes' in .* must be a list"),
        (CSV + "name = 'my faces'\n", "gives the dataset the name 'my faces'"),
        (CSV + "name = 'kaggle15'\n", "Two plugins register the dataset 'kaggle15': fkbench .* and faces.toml"),
        (CSV + "terms = {license = 'MIT'}\n", "Unknown key in .*'license'. Did you mean licence"),
        (CSV + "group = 'person'\n", "'group' in .* must be a table, not 'person'"),
        (CSV + "group = {}\n", "has 0 of column, pattern, folder"),
        (CSV + "group = {column = 'a', folder = 1}\n", "has 2 of column, pattern, folder"),
        (CSV + "group = {colum = 'a'}\n", "Unknown key in 'group' of .*'colum'. Did you mean column"),
        (CSV + "group = {pattern = '('}\n", "is no regular expression: missing"),
        (CSV + "group = {folder = 0}\n", "'folder' in .* must be 1 for the first"),
        (CSV + "split = {column = 'part', tset = 'a'}\n", "Did you mean test"),
        (CSV + "split = {column = 'part', train = 'a', test = 'a'}\n", "gives 'a' two meanings"),
        (CSV + "split = {lists = {train = 'a.txt'}}\n", r"there is no file '.*a\.txt'"),
        (CSV + "split = {lists = {train = 'labels.csv'}}\n", "needs train and test"),
        (CSV + "split = {lists = {}, column = 'a'}\n", "has both lists and 'column'"),
        (CSV.replace('"labels.csv"', '{train = "labels.csv", tset = "labels.csv"}'), "Unknown part in 'labels'.*test"),
        (CSV.replace('"images"', '{train = "images"}'), "'pictures' in .* has other parts than 'labels'"),
        ('labels = {test = "labels.csv"}\nsplit = {column = "part"}\nformat = "csv"\n', "parts both in 'labels' and"),
        (CSV + "group = {column = 'persn'}\n", "Unknown column in 'group' of .*: 'persn'. Did you mean person"),
        (CSV + "factors = ['persn']\n", "Unknown column in 'factors' of .*: 'persn'. Did you mean person"),
        (CSV + "group = {pattern = '^(x)'}\n", r"Line 2 of '.*labels\.csv': the pattern of group finds nothing"),
        (CSV + "group = {folder = 1}\n", "has 0 folders in its name"),
        (CSV + "split = {column = 'person'}\n", r"Line 2 of '.*': 'p0' is no part of the split; known: train"),
    ],
)  # fmt: skip
def test_a_bad_description_is_named_by_file_and_key(own, opened, text, words):
    own.csv()
    assert_refused(opened, own.describe(text), words)


def test_a_description_without_a_scheme_or_with_an_unknown_one(own, opened):
    own.csv()
    assert_refused(opened, own.describe(CSV, scheme=""), "has no 'scheme'.*face15")
    assert_refused(opened, own.describe(CSV + 'scheme = "face16"\n', scheme=""), "Unknown scheme .*Did you mean face68")


def changed(path: Path, line: int, change) -> None:
    lines = path.read_text().splitlines()
    lines[line - 1] = change(lines[line - 1])
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda row: row.replace(".png", ".jpg", 1), r"names the picture 'p1_0\.jpg', .*1 of 48 pictures are missing"),
        (lambda row: row.rpartition(",")[0], "has 12 values, not 13 as the first row has"),
        (lambda row: row + ",9", "has 14 values, not 13"),
        (lambda row: ",".join(["p1_0.png", "ten", *row.split(",")[2:]]), "has 'ten' where a number is needed"),
        (lambda row: ",".join(["p1_0.png", "inf", *row.split(",")[2:]]), "has a point that is not a finite number"),
        (lambda row: ",".join(["p1_0.png", "900", *row.split(",")[2:]]), r"has point 0 at \(900, .*far outside its"),
        (lambda row: ",".join(["p1_0.png", "", *row.split(",")[2:]]), r"has only one coordinate of point 0 \(left"),
        (lambda row: ",".join(["p1_0.png", "5,5", *[""] * 8, "p1", "train"]), "has one point, or all points in one"),
        (lambda row: "," + row.partition(",")[2], "names no picture"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named(own, opened, change, words):
    path = own.csv()
    changed(path, 4, change)
    assert_refused(opened, own.describe(CSV), rf"Line 4 of '.*labels\.csv' {words}")


def test_labels_that_stand_twice_are_named(own, opened):
    path = own.csv()
    path.write_text(path.read_text() + path.read_text().splitlines()[1] + "\n")
    assert_refused(opened, own.describe(CSV), r"Line 50 of .* labels 'p0_0\.png' as another row does: Line 2 of")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"picture,x0,y0,x1,y1,x2,y2,x3,y3,x4,y4\n", "describes no face"),
        (b"picture,x0,y0,x1,y1,x2,y2,x3,y3,x4,y4\np0_0.png" + b"," * 10, "describes no labelled face"),
        (b"picture,x0,y0\np0_0.png,1,2\n", "has 'x0' but no 'x1': faces-5 has 5 points"),
        (b"picture;a;b\np0_0.png;1;2\n", "has 0 values after the picture's name, but 5 points need 10"),
        (b"picture,a,b,a\n", "has the column 'a' twice|has 3 values"),
        (b'picture,x0\n"p0', "Line 2 of .* is no CSV|has 'x0' but"),
        (b"a\nb\xff\n", "is not UTF-8 text: line 2"),
    ],
)
def test_a_table_that_is_something_else(own, opened, content, words):
    (own.folder / "labels.csv").write_bytes(content)
    assert_refused(opened, own.describe(CSV), words)


def png_of(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no picture", r"The picture 'p2_0\.png' in '.*images' does not decode: it is not a whole PNG or JPEG"),
        (png_of(60_000, 60_000), "claims 60000×60000 pixels"),
        (png_of(100, 110)[:60], r"The picture 'p2_0\.png' in '.*images' is cut short"),
        (b"", "does not decode"),
    ],
)
def test_a_picture_that_does_not_decode_or_is_absurdly_large(own, opened, content, words):
    own.csv()
    (own.folder / "images" / "p2_0.png").write_bytes(content)
    assert_refused(opened, own.describe(CSV), words)


def test_a_pipe_is_no_picture(own, opened):
    own.csv()
    path = own.folder / "images" / "p2_0.png"
    path.unlink()
    os.mkfifo(path)
    assert_refused(opened, own.describe(CSV), r"names the picture 'p2_0\.png'")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda page: [], "is no COCO file: it is a list"),
        (lambda page: {"images": []}, "is no COCO file: it has no list 'annotations'"),
        (lambda page: {**page, "images": [{"id": 1}]}, r"Picture 0 of .* has no id or no file_name"),
        (lambda page: {**page, "images": page["images"][:1] * 2}, "has two pictures of the id 10"),
        (lambda page: {**page, "images": page["images"][1:]}, r"Annotation 0 \(id 0\) of .* belongs to the picture 10"),
        (
            lambda page: _keypoints(page, lambda v: v[:-1]),
            r"Annotation 1 \(id 1\) .* has 14 values, .* need 15",
        ),
        (lambda page: _keypoints(page, lambda v: [10**400, *v[1:]]), "Annotation 1 .* a number that is too large"),
        (lambda page: _keypoints(page, lambda v: ["x", *v[1:]]), r"Annotation 1 .* has 'x' where a number is needed"),
        (lambda page: _keypoints(page, lambda v: 7), r"Annotation 1 .* has no list"),
        (lambda page: {**page, "annotations": [7]}, "Annotation 0 of .* is no object"),
        (lambda page: {**page, "annotations": []}, "has no annotation with labelled 'keypoints'"),
    ],
)
def test_a_bad_coco_file_is_named_by_annotation(own, opened, change, words):
    path = own.coco()
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    assert_refused(opened, own.describe(COCO), words)


def _keypoints(page, change):
    page["annotations"][1]["keypoints"] = change(page["annotations"][1]["keypoints"])
    return page


def test_json_that_is_none_or_nests_without_end(own, opened):
    path = own.coco()
    path.write_text('{"images": [')
    assert_refused(opened, own.describe(COCO), "is not JSON: .*line 1")
    path.write_text("[" * 200_000)
    assert_refused(opened, own.describe(COCO), "is not JSON")
    own.coco()
    assert_refused(opened, own.describe(COCO + "category = 'face'\n"), "Unknown category of .*: 'face'")


@pytest.mark.parametrize(
    ("line", "change", "words"),
    [
        (1, lambda row: "hello", r"Line 1 of '.*p1_0\.pts' is 'hello'"),
        (2, lambda row: "n_points: 68", r"'.*p1_0\.pts' has n_points '68', but the scheme 5"),
        (3, lambda row: "", r"Line 4 of '.*p1_0\.pts' is|has no '{'"),
        (5, lambda row: "1", r"Line 5 of '.*p1_0\.pts' has 1 values, not x and y"),
        (5, lambda row: "1 y", r"Line 5 of '.*p1_0\.pts' has 'y' where a number is needed"),
        (5, lambda row: "", r"'.*p1_0\.pts' has 4 points, not 5"),
        (9, lambda row: "", r"'.*p1_0\.pts' has no '}': it is cut short"),
    ],
)
def test_a_bad_pts_file_is_named_by_line(own, opened, line, change, words):
    changed(own.pts() / "p1_0.pts", line, change)
    assert_refused(opened, own.describe(PTS), words)


def test_pts_without_pictures_or_without_files(own, opened):
    own.pts()
    (own.folder / "images" / "p1_0.png").unlink()
    assert_refused(
        opened, own.describe(PTS), r"'.*p1_0\.pts' has no picture: there is no '.*images/p1_0\.png' or '\.jpg'"
    )
    assert_refused(opened, own.describe(PTS.replace('"pts"\np', '"images"\np')), r"holds no \.pts file")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda row: row.partition(" ")[2], r"has 20 values, not 21"),
        (lambda row: "x " + row.partition(" ")[2], "has 'x' where a number is needed"),
        (lambda row: row.replace("1 2 3 4 0", "1 2 3 4 2"), "has the attribute pose = '2'"),
    ],
)
def test_a_bad_wflw_line_is_named(own, opened, change, words):
    changed(own.wflw(), 3, change)
    assert_refused(opened, own.describe(WFLW), rf"Line 3 of '.*list_rect_attr\.txt' {words}")
