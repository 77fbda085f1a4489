"""A dataset's scheme: by name or its own, looked up in one place; what of it stands in a fingerprint."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fkbench.datasets.fingerprints import fingerprint
from fkbench.datasets.samples import Frames
from fkbench.errors import UnknownNameError
from fkbench.schemes import FACE15, FACE68, Scheme, known_schemes, scheme_identity, scheme_of
from fkbench.specs import DatasetSpec

OWN = Scheme("own", "two points", ("a", "b"), ((0, 1),), {"all": (0, 1)}, {"d": ((0,), (1,))})


def spec(scheme) -> DatasetSpec:
    return DatasetSpec(name="faces", scheme=scheme, load="a:b")


def test_by_name_or_as_an_object():
    assert scheme_of(spec("face15")) is FACE15
    assert scheme_of(spec(OWN)) is OWN
    assert (spec("face15").scheme_name, spec(OWN).scheme_name) == ("face15", "own")
    with pytest.raises(UnknownNameError, match=r"faces: 'face16'. Did you mean face"):
        scheme_of(spec("face16"))


def test_known_schemes_are_the_built_in_ones_and_those_that_datasets_bring():
    pretender = replace(OWN, name="face15")
    assert known_schemes([spec("face15"), spec(OWN), spec(pretender)]) == {
        "own": OWN, "face15": FACE15, "face68": FACE68
    }  # fmt: skip


def test_the_identity_of_a_built_in_scheme_is_its_name_and_any_other_s_follows_its_content():
    frames, points = Frames.stack(np.zeros((1, 4, 4), np.uint8)), np.zeros((1, 15, 2), np.float32)
    by_name, by_object = (fingerprint(scheme, ["a"], frames, points) for scheme in ("face15", FACE15))
    assert by_name == by_object
    assert fingerprint(replace(FACE15, flip_pairs=()), ["a"], frames, points) != by_name
    assert scheme_identity(OWN) == scheme_identity(replace(OWN, summary="x", lines=((0, 1),), regions={"b": (0, 1)}))
    others = {scheme_identity(s) for s in (OWN, replace(OWN, points=("a", "c")), replace(OWN, flip_pairs=()),
                                           replace(OWN, normalisers={}), replace(OWN, name="owm"))}  # fmt: skip
    assert len(others) == 5
