"""The catalogue of accuracy predictors: all keep the contract, in a space of numbers and in one of operators."""

from __future__ import annotations

import numpy as np
import pytest

from surgenas.accuracy import CATALOG, USUAL
from surgenas.accuracy.base import make_accuracy_predictor, usable
from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.spaces.concat import Concat
from surgenas.spaces.macro import Macro
from surgenas.testing import check_accuracy_predictor
from tests.accuracy.toys import Links, planted

LINKS, MACRO = Links(), Macro()


@pytest.mark.parametrize("name", [name for name in USUAL if name != "depth"])
def test_each_learns_a_space_of_numbers(name):
    """Mass grows with links alone there, so it says less of the degree."""
    check_accuracy_predictor(name, LINKS, lambda archs: planted(LINKS, archs), least=0.2 if name == "mass" else 0.6)


@pytest.mark.parametrize("name", ["macs", "params", "depth", "ridge", "process", "svr"])
def test_each_learns_a_space_of_operators(name):
    def truth(archs):
        places = np.array([moves.indices(MACRO, arch) for arch in archs])
        return 0.5 + 0.02 * places.sum(1) + 0.01 * (places > 0).sum(1)

    check_accuracy_predictor(name, MACRO, truth, least=0.4)


def test_what_a_space_lacks_is_said_and_left_out():
    assert usable(tuple(CATALOG), MACRO) == ["macs", "params", "depth", "ridge", "process", "svr", "kernel"]
    with pytest.raises(UsageError, match=r"'macro': its networks have no topology numbers"):
        make_accuracy_predictor("degree", MACRO)
    with pytest.raises(UsageError, match="a row of concat is several layers"):
        make_accuracy_predictor("depth", Concat())
    with pytest.raises(UsageError, match="unknown accuracy predictor 'oracle'; one of degree, depth"):
        make_accuracy_predictor("oracle", MACRO)


def test_one_from_outside_is_named_by_its_path():
    assert make_accuracy_predictor("surgenas.accuracy.codes:Ridge", MACRO).space is MACRO
