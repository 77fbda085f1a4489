"""Errors cross process pools as they are."""

from __future__ import annotations

import pickle

import pytest

from fkbench.errors import FkbenchError, TooSmallError, UnknownNameError
from fkbench.publishing.form import RefusedError  # noqa: F401 (makes it a subclass that is looked at)
from fkbench.runner.requests import SeedsFailedError


def subclasses(kind: type[FkbenchError]) -> list[type[FkbenchError]]:
    below = [one for direct in kind.__subclasses__() for one in subclasses(direct)]
    return [kind, *(one for one in below if one.__module__.startswith("fkbench."))]


ARGUMENTS = {
    UnknownNameError: ("split", "honst", ["honest"]),
    TooSmallError: ("net", 8, 32),
    SeedsFailedError: (FkbenchError("The loss is NaN.", "Lower the learning rate."), 1, []),
}


@pytest.mark.parametrize("kind", sorted(set(subclasses(FkbenchError)), key=lambda kind: kind.__name__))
def test_an_error_is_the_same_on_the_other_side_of_a_pool(kind):
    error = kind(*ARGUMENTS.get(kind, ("It is wrong.", "Mend it.")))
    there = pickle.loads(pickle.dumps(error))
    assert type(there) is kind
    assert (there.args, vars(there), str(there)) == (error.args, vars(error), str(error))
    assert there.remedy
