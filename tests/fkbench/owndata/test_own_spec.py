"""What a TOML file says of boxes, scores, channels and terms, as the harness sees it."""

from __future__ import annotations

from fkbench.specs import DatasetSpec

CSV = 'format = "csv"\nlabels = "labels.csv"\npictures = "images"\n'


def fields(spec: DatasetSpec) -> tuple:
    return spec.boxes, spec.any_box, spec.scoring, spec.margin, spec.default_box("uniform")


def test_whole_pictures_and_crops(own, spec_of):
    own.csv()
    assert fields(spec_of(own.describe(CSV))) == (("truth", "frame"), True, "face224", 0.25, "truth")
    assert fields(spec_of(own.describe("crops = true\n" + CSV))) == (("frame",), False, "own", 0.0, "frame")


def test_each_can_be_stated(own, spec_of):
    own.csv()
    text = 'crops = true\nboxes = ["truth"]\nany_box = true\nscoring = "face224"\nchannels = 1\n'
    spec = spec_of(own.describe(text + CSV))
    assert fields(spec) == (("truth",), True, "face224", 0.0, "truth")
    assert spec.channels == 1


def test_names_terms_and_origin(own, spec_of):
    own.csv()
    path = own.describe('summary = "drawn"\nterms = {licence = "CC0", url = "u", public = true, note = "n"}\n' + CSV)
    spec = spec_of(path)
    assert (spec.name, spec.summary, spec.scheme_name) == ("faces", "drawn", "faces-5")
    assert (spec.terms.licence, spec.terms.url, spec.terms.public, spec.terms.note) == ("CC0", "u", True, "n")
    assert (spec.plugin.name, spec.plugin.path) == ("faces.toml", str(path))
    plain = spec_of(own.describe(CSV))
    assert plain.terms.public is False
    assert plain.summary
    assert "faces.toml" in plain.ways
