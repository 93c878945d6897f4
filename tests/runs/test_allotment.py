"""Who gets a limited time: trainings first where nobody asked for a search, else a quarter for the search."""

from __future__ import annotations

from dataclasses import replace

import pytest

from surgenas.runs.allotment import Wanted, allot, fitting

ASKED = Wanted(
    epochs=20, epoch_s=5.0, beside_s=0.0, least=2, train_epochs=50, train_epoch_s=2.0, least_train=2, optional=False,
)  # fmt: skip
"""A search of 100 s, and trainings of 100 s."""
OPTIONAL = replace(ASKED, optional=True)


@pytest.mark.parametrize(
    ("left_s", "epochs"),
    [
        (400.0, (20, 50)),  # there is time for all
        (160.0, (12, 50)),  # trainings need 100 of it
        (120.0, (6, 45)),  # a quarter for the search
        (40.0, (2, 15)),
        (0.0, (2, 2)),  # what is of use at all
    ],
)
def test_of_a_short_time_a_search_that_was_asked_for_gets_a_quarter_and_what_trainings_leave(left_s, epochs):
    assert allot(left_s, ASKED) == epochs


@pytest.mark.parametrize(
    ("left_s", "epochs"),
    [
        (0.0, (0, 2)),
        (40.0, (0, 20)),
        (100.0, (0, 50)),
        (109.0, (0, 50)),  # one epoch of search would be of no use
        (111.0, (2, 50)),
        (160.0, (12, 50)),
        (400.0, (20, 50)),  # nobody needs more
    ],
)
def test_a_search_that_nobody_asked_for_waits_until_trainings_have_their_usual_length(left_s, epochs):
    assert allot(left_s, OPTIONAL) == epochs


def test_what_a_search_takes_beside_its_epochs_counts():
    assert allot(160.0, replace(ASKED, beside_s=20.0)) == (8, 50)
    assert allot(125.0, replace(OPTIONAL, beside_s=20.0)) == (0, 50)


def test_a_method_that_searches_nothing_leaves_all_to_trainings():
    assert allot(80.0, replace(ASKED, epochs=0, epoch_s=0.0)) == (0, 40)


def test_few_epochs_that_were_asked_for_are_not_made_more():
    assert allot(0.0, replace(ASKED, epochs=1))[0] == 1


def test_trainings_stay_within_what_is_of_use():
    assert [fitting(s, 2.0, 2, 10) for s in (-5.0, 1.0, 9.0, 99.0)] == [2, 2, 4, 10]
