"""Every format reads to the same samples: names, pictures, points, missing points, several faces in a picture."""

from __future__ import annotations

import json
import ntpath
import shutil
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from fkbench.errors import FkbenchError
from fkbench.owndata import collecting
from fkbench.owndata.description import LabelFile
from fkbench.owndata.faces import Face

CSV = 'format = "csv"\nlabels = "labels.csv"\npictures = "images"\n'
COCO = 'format = "coco"\nlabels = "labels.json"\npictures = "images"\n'
PTS = 'format = "pts"\nlabels = "pts"\npictures = "images"\n'
WFLW = 'format = "wflw"\nlabels = "list_rect_attr.txt"\npictures = "images"\n'


def write(own, style):
    return {"csv": own.csv, "coco": own.coco, "pts": own.pts, "wflw": own.wflw}[style]()


@pytest.mark.parametrize(("style", "text"), [("csv", CSV), ("coco", COCO), ("pts", PTS), ("wflw", WFLW)])
def test_every_format_gives_the_labels_and_pictures_that_were_written(own, opened, style, text):
    write(own, style)
    samples = opened(own.describe(text))
    order = [own.names.index(name) for name in samples.ids]
    assert sorted(samples.ids) == sorted(own.names)
    np.testing.assert_array_equal(samples.points, own.points[order].astype(np.float32))
    for i in (0, 17):
        picture = cv2.imread(str(own.folder / "images" / samples.ids[i]))[:, :, ::-1]
        np.testing.assert_array_equal(samples.frames[i], picture)
    assert samples.official.labels is None


def test_the_format_leaves_no_trace_in_the_fingerprint(own, opened):
    """CSV, COCO and WFLW keep the order of their rows; a folder is sorted by name, so the others are sorted here."""
    order = np.argsort(own.names)
    own.names, own.points = [own.names[i] for i in order], own.points[order]
    own.person = [own.person[i] for i in order]
    found = set()
    for style, text in (("csv", CSV), ("coco", COCO), ("pts", PTS), ("wflw", WFLW)):
        write(own, style)
        found.add(opened(own.describe(text)).fingerprint)
    assert len(found) == 1


@pytest.mark.parametrize(("style", "text"), [("csv", CSV), ("coco", COCO)])
def test_a_missing_point_is_missing(own, opened, style, text):
    own.points[3, 2] = np.nan
    write(own, style)
    samples = opened(own.describe(text))
    assert samples.valid.sum() == 5 * 48 - 1
    assert not samples.valid[3, 2]


def test_a_number_may_stand_for_what_is_missing(own, opened):
    own.points[3, 2] = -1
    own.points[4, 2, 0] = -1  # one coordinate alone is a place left of the picture
    own.csv()
    samples = opened(own.describe("missing = -1\n" + CSV))
    assert (~samples.valid).sum() == 1
    assert samples.points[4, 2, 0] == -1


def test_a_row_without_points_is_an_unlabelled_picture(own, opened):
    own.points[5] = np.nan
    own.csv()
    samples = opened(own.describe(CSV))
    assert len(samples) == 47
    assert samples.unlabelled.ids == (own.names[5],)
    assert len(samples.unlabelled.frames) == 1


def test_csv_without_a_header_and_with_another_delimiter(own, opened):
    path = own.csv(header=False)
    path.write_text(path.read_text().replace(",", ";"), encoding="utf-8-sig")
    samples = opened(own.describe('delimiter = ";"\ngroup = {column = 12}\n' + CSV))
    np.testing.assert_array_equal(samples.points, own.points)
    assert samples.group == tuple(own.person)


def test_csv_with_named_columns_in_any_order(own, opened):
    names = ["nose", "mouth_right", "right_eye", "left_eye", "mouth_left"]
    index = [2, 4, 1, 0, 3]
    rows = [",".join(["file", "who", *(f"{name}_{axis}" for name in names for axis in "xy")])]
    for i, name in enumerate(own.names):
        rows.append(",".join([name, own.person[i], *(f"{v:g}" for v in own.points[i, index].reshape(-1))]))
    (own.folder / "labels.csv").write_text("\n".join(rows))
    samples = opened(own.describe("group = {column = 'who'}\n" + CSV))
    np.testing.assert_array_equal(samples.points, own.points)
    assert samples.group == tuple(own.person)


def test_a_header_of_bare_numbers_is_a_header(own, opened):
    path = own.csv()
    lines = path.read_text().splitlines()
    path.write_text("\n".join(["," + ",".join(map(str, range(10))) + ",a,b", *lines[1:]]))
    assert len(opened(own.describe(CSV))) == 48


@pytest.mark.parametrize(("origin", "shift"), [("0", 0), ("1", 1), ("0.5", 0.5)])
def test_origin_moves_coordinates_to_pixel_centres_at_integers(own, opened, origin, shift):
    own.csv()
    samples = opened(own.describe(f"origin = {origin}\n" + CSV))
    np.testing.assert_array_equal(samples.points, own.points - shift)


def test_pts_count_from_one_unless_told_otherwise(own, opened):
    own.pts()
    samples = opened(own.describe("origin = 0\n" + PTS))
    order = [own.names.index(name) for name in samples.ids]
    np.testing.assert_array_equal(samples.points, own.points[order] + 1)


def test_pts_lie_beside_their_pictures_in_folders(own, opened):
    own.pts("all/images")
    for name in own.names:
        shutil.copy(own.folder / "images" / name, own.folder / "all" / "images" / name)
    samples = opened(own.describe('format = "pts"\nlabels = "all"\n'))
    assert set(samples.ids) == {f"images/{name}" for name in own.names}


def test_several_faces_in_one_picture_are_several_samples_and_one_group(own, opened, store):
    own.csv()
    with (own.folder / "labels.csv").open("a") as file:
        file.write(own.names[0] + "," + ",".join(f"{v + 5:g}" for v in own.points[0].reshape(-1)) + ",p0,train\n")
    samples = opened(own.describe(CSV))
    first = [i for i, name in enumerate(samples.ids) if name.startswith(own.names[0])]
    assert [samples.ids[i] for i in first] == [f"{own.names[0]}#1", f"{own.names[0]}#2"]
    assert samples.group[first[0]] == samples.group[first[1]]
    np.testing.assert_array_equal(samples.frames[first[0]], samples.frames[first[1]])
    assert len(samples.frames.buffer) == 48 * 100 * 110 * 3  # the picture is kept once


def test_coco_reads_visibility_categories_other_keys_and_columns(own, opened):
    path = own.coco()
    page = json.loads(path.read_text())
    for entry in page["annotations"]:
        entry["face_kpts"] = entry.pop("keypoints")
    page["annotations"][0]["face_kpts"][2] = 1  # labelled, but hidden
    page["annotations"][1]["face_kpts"][2::3] = [0] * 5  # nothing labelled: no face
    page["annotations"][2]["iscrowd"] = 1
    page["annotations"][3]["category_id"] = 2
    page["annotations"].append({"id": 99, "image_id": 10, "category_id": 1})  # a body without a face
    page["categories"] = [{"id": 1, "name": "face"}, {"id": 2, "name": "cat"}]
    path.write_text(json.dumps(page))
    text = "keypoints = 'face_kpts'\ncategory = 'face'\ngroup = {column = 'person'}\nfactors = ['id']\n" + COCO
    samples = opened(own.describe(text))
    assert len(samples) == 45
    assert samples.valid.all()
    assert samples.group[0] == "p0"
    np.testing.assert_array_equal(samples.factors["id"][:2], [0, 4])


def test_wflw_attributes_become_factors(own, opened):
    own.wflw()
    samples = opened(own.describe(WFLW))
    assert set(samples.factors) == {"pose", "expression", "illumination", "make_up", "occlusion", "blur"}
    np.testing.assert_array_equal(samples.factors["pose"], np.arange(48) % 2)
    np.testing.assert_array_equal(samples.factors["blur"], np.arange(48) % 3 == 0)


def test_csv_columns_become_factors(own, opened):
    own.csv()
    samples = opened(own.describe('factors = ["part"]\n' + CSV))
    assert set(samples.factors["part"]) == {"train", "val", "test"}


def test_grey_frames_where_one_channel_is_asked_for(own, opened):
    own.csv()
    samples = opened(own.describe("channels = 1\n" + CSV))
    assert samples.frames[0].shape == (110, 100, 1)
    picture = cv2.imread(str(own.folder / "images" / own.names[0]), cv2.IMREAD_COLOR_RGB)
    np.testing.assert_array_equal(samples.frames[0][:, :, 0], cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))


def test_ids_hold_no_absolute_path(own, opened):
    """Ids stand in files that are published."""
    short = tuple(own.names)
    own.names = [str(own.folder / "images" / name) for name in own.names]
    own.csv()
    assert opened(own.describe(CSV)).ids == short


@pytest.fixture
def named_on_windows(monkeypatch):
    """The names that pictures get on Windows."""
    monkeypatch.setattr(collecting, "os", SimpleNamespace(path=ntpath))
    file = LabelFile(Path("labels.csv"), Path("images"))
    described = SimpleNamespace(path="faces.toml", files=[file])

    def named(*pictures):
        faces = [Face(picture, np.zeros((1, 2)), "row 1") for picture in pictures]
        return collecting._names(described, faces, [file] * len(faces))

    return named


def test_ids_are_the_same_on_windows(named_on_windows):
    assert named_on_windows("C:/set/a/1.png", "C:/set/b/2.png", "c/3.png") == ("a/1.png", "b/2.png", "c/3.png")


def test_pictures_on_two_drives_are_a_clear_line(named_on_windows):
    with pytest.raises(FkbenchError, match="on several drives") as caught:
        named_on_windows("C:/set/1.png", "D:/set/2.png")
    assert caught.value.remedy


def test_faces_that_are_too_small_are_left_out_and_counted(own, opened, caplog):
    own.points[3] = own.points[3, 0] + (own.points[3] - own.points[3, 0]) / 10
    own.points[4, 1:] = np.nan  # one point tells no size
    own.csv()
    samples = opened(own.describe("smallest = 8\n" + CSV))
    assert len(samples) == 46
    assert samples.unlabelled is None
    assert own.names[3] not in samples.ids
    assert "2 of 48 faces are smaller than 8 pixels" in caplog.text
