"""What a node does is what an engine here would do, on what was sent to it; clusters are in test_ray.py."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version

import pytest

from surgenas.core import moves
from surgenas.core.errors import EnvironmentFault
from surgenas.core.work import Judge, Train
from surgenas.engine.here import Here
from surgenas.engine.ray_training import portable, train_there
from surgenas.tasks.data import Images, hold_out
from surgenas.testing import Planted
from surgenas.training.loop import Recipe
from surgenas.training.team import Team

SPACE, RECIPE, HERE = Planted(), Recipe(epochs=2, batch=32), version("surgenas")
ARCH = moves.decode(SPACE, SPACE.costs().macs)


@pytest.fixture
def here(few_digits) -> Here:
    data, aside = hold_out(few_digits, 0.2, 1000, seed=0)
    return Here(Images(few_digits, data, aside), RECIPE, (replace(RECIPE, epochs=1),), SPACE, 3, team=Team("cpu"))


def test_another_version_on_a_node_is_refused(here):
    with pytest.raises(EnvironmentFault, match=r"a node of the Ray cluster has surgenas .*, this is 0.0; install the"):
        train_there(here, here.images, Judge(ARCH), None, None, 1, "0.0")


def test_what_is_sent_holds_no_images_and_nothing_of_this_process(here):
    sent = portable(replace(here, goes_on=True, store=lambda name: pytest.fail("a store of this process")))
    assert (sent.images, sent.goes_on, sent.candidates) == (None, True, here.candidates)
    assert sent.store("any") is None


def test_only_of_a_candidate_that_may_go_on_the_state_comes_back(here):
    def asked(work, **how):
        return train_there(portable(replace(here, **how)), here.images, work, None, None, 1, HERE)

    score, epochs, stands = asked(Judge(ARCH), goes_on=True)
    assert (0 <= score <= 1, epochs, stands[0]) == (True, [], 1)
    assert asked(Judge(ARCH))[2] is None
    trained, epochs, nothing = asked(Train("one", ARCH, 5), goes_on=True)
    assert (len(epochs), nothing) == (2, None)
    assert trained.accuracy > 0
