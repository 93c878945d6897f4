"""Training of the found network and its rivals: one recipe, one seed, gone on with after a kill."""

from __future__ import annotations

import pytest

from surgenas.core import moves
from surgenas.runs.results import Derived, Rivals
from surgenas.runs.steps.train import networks, train
from tests.runs.written import ARCH, Interrupting, again, timed


@pytest.fixture
def ready(fresh, images):
    run = fresh(data=images, train_epochs=3, batch=32, accelerator="cpu")
    found = run.space.architecture(ARCH.genes)
    run.record("derive", Derived(found, 1.0, timed(1.0), 1))
    run.record("rivals", Rivals({"random 1": moves.uniform_architecture(run.space, "skip"), "twin": found}))
    return run


def test_the_found_network_is_trained_first(ready):
    assert [*networks(ready)] == ["found", "random 1", "twin"]


def test_all_are_trained_alike_from_one_seed(ready):
    """So equal networks end equal, bit for bit."""
    archs = networks(ready)
    found = {name: train(ready, name, archs[name]) for name in ("found", "twin")}
    weights = [(ready.folder / name).read_bytes() for name in ("model.safetensors", "models-twin.safetensors")]
    assert weights[0] == weights[1]
    assert (found["found"].accuracy, found["found"].balanced) == (found["twin"].accuracy, found["twin"].balanced)
    assert found["twin"].classes is None, "of networks that are only compared with"
    assert found["found"].classes.balanced_accuracy == found["found"].balanced
    assert found["found"].classes.matrix.sum() == len(ready.data.test)
    assert [e["epoch"] for e in ready.journal.all("trained", network="found")] == [0, 1, 2]


def test_killed_inside_it_goes_on_and_ends_the_same(ready):
    archs = networks(ready)
    whole = train(ready, "found", archs["found"])
    with pytest.raises(KeyboardInterrupt):
        train(again(ready, Interrupting(2)), "twin", archs["twin"])
    assert train(again(ready), "twin", archs["twin"]).accuracy == whole.accuracy
    assert [e["epoch"] for e in again(ready).journal.all("trained", network="twin")] == [0, 1, 2], "no epoch twice"
    weights = [(ready.folder / name).read_bytes() for name in ("model.safetensors", "models-twin.safetensors")]
    assert weights[0] == weights[1]
