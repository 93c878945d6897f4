"""Work is a value: equal work has one key in every process, and different work has another."""

from __future__ import annotations

import pickle
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core.architecture import Architecture, SpaceSpec
from surgenas.core.cost import Effort
from surgenas.core.work import Epochs, Judge, Price, Train, Weights

few = settings(deadline=None, max_examples=60)
ARCHS = st.builds(
    Architecture,
    st.builds(SpaceSpec, st.sampled_from(["mobile", "macro"])),
    st.lists(st.sampled_from(["skip", "k3e3", "k5e6"]), min_size=1, max_size=3).map(tuple),
)
NUMBERS = st.integers(0, 99)
WORK = st.one_of(
    st.builds(Epochs, NUMBERS),
    st.builds(Judge, ARCHS, NUMBERS),
    st.builds(Train, st.just("found"), ARCHS, NUMBERS),
    st.builds(Price, st.lists(ARCHS, max_size=3).map(tuple), st.sampled_from(Effort)),
)
ONE = Architecture(SpaceSpec("mobile"), ("k3e3", "skip"))
OTHER = Architecture(SpaceSpec("mobile"), ("skip", "k3e3"))


def test_keys_are_what_journals_of_finished_runs_have():
    """Whoever changes one makes what was done before unknown."""
    assert Epochs(3).key == "epoch/3"
    assert Judge(ONE).key == "judge/ad10b57246e5c8bc/0"
    assert Train("found", ONE, 5).key == "train/ad10b57246e5c8bc/5"
    assert Train("found", ONE, 5, Weights("f", "0" * 64)).key == "train/ad10b57246e5c8bc/5/0000000000000000"
    assert Price((ONE, OTHER), Effort.CLAIM).key == "price/112e7cdeee2ca6cc/claim"


@few
@given(WORK, WORK)
def test_work_has_one_key_if_and_only_if_it_is_the_same(one, other):
    assert (one.key == other.key) == (one == other)


@few
@given(WORK)
def test_work_survives_a_journey_to_another_process(work):
    again = pickle.loads(pickle.dumps(work))
    assert again == work
    assert again.key == work.key
    assert hash(again) == hash(work)


def test_each_part_of_the_work_makes_it_another():
    different = [
        Epochs(0), Epochs(1), Judge(ONE), Judge(ONE, 1), Judge(OTHER), Train("x", ONE, 0), Train("x", ONE, 1),
        Train("x", ONE, 1, Weights("f", "a" * 64)), Train("x", ONE, 1, Weights("f", "b" * 64)),
        Train("x", OTHER, 0), Price((ONE,)), Price((OTHER,)), Price((ONE, OTHER)), Price((OTHER, ONE)),
        Price((ONE,), Effort.CLAIM), Price(()),
    ]  # fmt: skip
    assert all(one.key != other.key for one, other in combinations(different, 2))


def test_a_checkpoints_name_is_no_part_of_what_is_trained():
    assert Train("found", ONE, 0).key == Train("random 1", ONE, 0).key


def test_work_cannot_be_changed():
    with pytest.raises(AttributeError):
        Epochs(0).number = 1
