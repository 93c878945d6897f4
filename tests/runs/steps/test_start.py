"""The whole network made ready: trained on what the search may see, sorted, and the same after a kill."""

from __future__ import annotations

import shutil

import pytest
import torch

from surgenas.nn.weights import read_weights
from surgenas.runs.names import START
from surgenas.runs.results import Started
from surgenas.runs.steps.start import start
from surgenas.runs.whole import read_whole
from tests.runs.written import Interrupting, again


def test_a_run_from_nothing_has_no_start(fresh):
    assert start(fresh()) is None


def test_its_channels_are_sorted_and_it_is_said_how_good_it_is(adapted, copied, listener):
    run = copied(adapted.run, listener)
    found = start(run)
    norms = read_weights(run.folder / START, found.digest)["layer1.0.conv1.weight"].flatten(1).norm(dim=1)
    assert torch.equal(norms, norms.sort(descending=True)[0])
    assert 0 <= found.accuracy <= 1
    before = read_whole(run)[0].state_dict()["layer1.0.conv1.weight"].flatten(1).norm(dim=1)
    assert not torch.equal(before, before.sort(descending=True)[0])


def test_killed_inside_it_goes_on_and_ends_the_same(adapted, copied):
    run = copied(adapted.run)
    shutil.rmtree(run.checkpoints("start").folder)
    with pytest.raises(KeyboardInterrupt):
        start(again(run, Interrupting(1)))
    assert start(again(run)) == run.result(Started)
