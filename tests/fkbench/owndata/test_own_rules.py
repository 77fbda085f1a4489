"""Groups, clips and splits: by column, pattern, folder, list or file; and what the leak report says of them."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from fkbench.datasets.leaks import leak_report
from fkbench.datasets.splits import by_group, get_split
from fkbench.errors import FkbenchError

CSV = 'format = "csv"\nlabels = "labels.csv"\npictures = "images"\n'


@pytest.mark.parametrize("rule", ["{column = 'person'}", "{pattern = '^(p\\d+)_'}", "{pattern = '^p\\d+'}"])
def test_groups_by_column_or_pattern_are_never_parted(own, opened, spec_of, rule):
    own.csv()
    path = own.describe(f"group = {rule}\n{CSV}")
    samples, spec = opened(path), spec_of(path)
    assert samples.group == tuple(own.person)
    split = get_split(spec, samples, "grouped")
    for part in ("train", "val", "test"):
        np.testing.assert_array_equal(getattr(split, part), getattr(by_group(samples, "grouped"), part))
    report = leak_report(samples, split)
    assert (report["groups"]["total"], report["leaky"]) == (24, False)


def test_without_a_group_near_duplicates_stay_together(own, opened):
    shutil.copy(own.folder / "images" / own.names[0], own.folder / "images" / own.names[9])
    own.csv()
    samples = opened(own.describe(CSV))
    assert samples.duplicates.tolist() == [[0, 9]]
    assert samples.group[0] == samples.group[9] == own.names[0]
    assert len(set(samples.group)) == 47


def test_a_folder_of_the_name_is_a_group(own, opened):
    for name, person in zip(own.names, own.person, strict=True):
        target = own.folder / "images" / "set" / person / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(own.folder / "images" / name, target)
    own.names = [f"set/{person}/{name}" for name, person in zip(own.names, own.person, strict=True)]
    own.csv()
    samples = opened(own.describe(f"group = {{folder = -1}}\nclip = {{folder = 1}}\n{CSV}"))
    assert samples.group == tuple(own.person)
    assert set(samples.clip) == {"set"}
    assert opened(own.describe(f"group = {{folder = 2}}\n{CSV}")).group == tuple(own.person)


def test_a_given_split_is_the_default_and_marked_where_a_group_is_on_both_sides(own, opened, spec_of):
    own.csv()
    path = own.describe(f"group = {{column = 'person'}}\nsplit = {{column = 'part'}}\n{CSV}")
    spec, samples = spec_of(path), opened(path)
    assert [split.name for split in spec.splits] == ["given", "grouped"]
    assert spec.default_split("uniform") == "given"
    given = get_split(spec, samples, "given")
    assert given.counts == {"train": 24, "val": 12, "test": 12}
    assert given.leaky is False
    assert {samples.published[i] for i in given.test} == {"test"}
    path = own.describe(f"group = {{pattern = '_(.)'}}\nsplit = {{column = 'part'}}\n{CSV}")
    leaky = get_split(spec_of(path), opened(path), "given")
    assert leaky.leaky is True
    assert get_split(spec_of(path), opened(path), "given").version != given.version
    report = leak_report(opened(path), leaky)
    assert report["groups"]["both_sides"] == 2


def test_without_a_validation_part_a_tenth_of_the_training_groups_validates(own, opened, spec_of):
    own.csv()
    rule = "{column = 'part', train = ['train', 'val'], val = [], test = 'test'}"
    path = own.describe(f"group = {{column = 'person'}}\nsplit = {rule}\n{CSV}")
    samples = opened(path)
    split = get_split(spec_of(path), samples, "given")
    assert split.counts["test"] == 12
    assert 0 < split.counts["val"] < split.counts["train"]
    assert not {samples.group[i] for i in split.val} & {samples.group[i] for i in split.train}


def test_unused_pictures_stand_in_no_part_of_the_given_split(own, opened, spec_of):
    own.csv()
    rule = (
        "{pattern = '^p(\\d)', train = ['1', '2'], val = ['0', '3'], test = ['4', '5'], unused = ['6', '7', '8', '9']}"
    )
    path = own.describe(f"split = {rule}\n{CSV}")
    split = get_split(spec_of(path), opened(path), "given")
    assert sum(split.counts.values()) == 40
    assert sum(get_split(spec_of(path), opened(path), "grouped").counts.values()) == 48


def test_lists_of_names(own, opened, spec_of):
    own.csv()
    for part, names in (("train", own.names[:30]), ("val", own.names[30:36]), ("test", own.names[36:46])):
        (own.folder / f"{part}.txt").write_text("\n".join([*names, ""]))
    path = own.describe(f"split = {{lists = {{train = 'train.txt', val = 'val.txt', test = 'test.txt'}}}}\n{CSV}")
    split = get_split(spec_of(path), opened(path), "given")
    assert split.counts == {"train": 30, "val": 6, "test": 10}
    (own.folder / "val.txt").write_text(own.names[0])
    with pytest.raises(FkbenchError, match=rf"Line 1 of '.*val\.txt' names '{own.names[0]}', which is in train too"):
        opened(path)
    (own.folder / "val.txt").write_text("\nnobody.png")
    with pytest.raises(FkbenchError, match=r"Line 2 of .* 'nobody.png', for which there are no labels"):
        opened(path)


def test_a_label_file_for_each_part_with_pictures_of_equal_names(own, opened, spec_of):
    for part, rows in (("train", range(40)), ("test", range(30, 48))):
        own.csv(f"{part}.csv", rows=rows)
        (own.folder / part).mkdir()
        for i in rows:
            shutil.copy(own.folder / "images" / own.names[i], own.folder / part / own.names[i])
    text = 'format = "csv"\nlabels = {train = "train.csv", test = "test.csv"}\n'
    path = own.describe(text + 'pictures = {train = "train", test = "test"}\n')
    samples = opened(path)
    assert samples.ids[0] == f"train/{own.names[0]}"
    assert samples.ids[-1] == f"test/{own.names[47]}"
    given = get_split(spec_of(path), samples, "given")
    assert given.counts["test"] == 18
    assert given.leaky is True  # ten pictures are in both parts: one group each, by the near-duplicate rule
    assert leak_report(samples, given)["near_duplicates"]["across"] == 10
    assert leak_report(samples, get_split(spec_of(path), samples, "grouped"))["leaky"] is False


def test_the_version_of_a_split_follows_membership_groups_and_the_unit_of_scores(own, opened, spec_of):
    own.csv()

    def version(text: str, split: str = "grouped") -> int:
        path = own.describe(text + CSV)
        return get_split(spec_of(path), opened(path), split).version

    person = "group = {column = 'person'}\n"
    first = version(person)
    assert version(person + "summary = 'other words'\n") == first
    assert version("group = {pattern = '(.+)'}\n") != first
    assert version(person + "scoring = 'own'\n") != first


def test_a_near_duplicate_across_is_marked_even_where_groups_are_kept_apart(own, opened, spec_of):
    own.csv()
    path = own.describe(f"group = {{column = 'person'}}\n{CSV}")
    split = get_split(spec_of(path), opened(path), "grouped")
    assert split.leaky is False
    trained, tested = (own.folder / "images" / own.names[rows[0]] for rows in (split.train, split.test))
    shutil.copy(trained, tested)
    assert get_split(spec_of(path), opened(path), "grouped").leaky is True
