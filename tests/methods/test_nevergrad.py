"""Nevergrad's registry by name; what its loop does is in test_foreign."""

from __future__ import annotations

import numpy as np
import pytest

from surgenas.core.errors import UsageError
from surgenas.methods.nevergrad import NevergradSearch
from surgenas.spaces.restricted import Restricted

pytest.importorskip("nevergrad")


def test_an_optimizer_that_is_not_there_is_named_before_it_is_needed():
    with pytest.raises(UsageError, match="--set optimizer=none: Nevergrad has no optimizer"):
        NevergradSearch(optimizer="none")


def test_a_choice_of_one_option_is_not_its_business(macro):
    space = Restricted(macro, {0: "k3e3", 7: "skip"})
    (arch,) = NevergradSearch().start(space, np.random.default_rng(0)).ask()
    assert space.check(arch) == arch
