"""Training of the found network and its rivals: one recipe, one seed, gone on with after a kill."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from PIL import Image

from surgenas.core import moves
from surgenas.nn.weights import load_weights
from surgenas.runs.names import MISJUDGED
from surgenas.runs.results import Derived, Rivals
from surgenas.runs.searching import Searching
from surgenas.runs.steps.train import networks, train, trained_files
from surgenas.tasks.misjudged import WORST
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


def test_the_worst_judged_images_of_the_found_network_are_kept_with_thumbnails(ready):
    found, other = (train(ready, name, networks(ready)[name]) for name in ("found", "twin"))
    wrong = round((1 - found.accuracy) * len(ready.data.test))
    assert 0 < len(found.misjudged) == min(wrong, WORST)
    assert all(ready.data.test.labels[one.index] == one.label != one.said for one in found.misjudged)
    with Image.open(ready.folder / MISJUDGED) as strip:
        assert strip.size == (96 * len(found.misjudged), 96)
    assert trained_files("found", found) == ("model.safetensors", MISJUDGED)
    assert other.misjudged == ()
    assert trained_files("twin", other) == ("models-twin.safetensors",)


def test_killed_inside_it_goes_on_and_ends_the_same(ready):
    archs = networks(ready)
    whole = train(ready, "found", archs["found"])
    with pytest.raises(KeyboardInterrupt):
        train(again(ready, Interrupting(2)), "twin", archs["twin"])
    assert train(again(ready), "twin", archs["twin"]).accuracy == whole.accuracy
    assert [e["epoch"] for e in again(ready).journal.all("trained", network="twin")] == [0, 1, 2], "no epoch twice"
    weights = [(ready.folder / name).read_bytes() for name in ("model.safetensors", "models-twin.safetensors")]
    assert weights[0] == weights[1]


def test_networks_begin_with_what_the_search_has_trained_if_asked(finished, copied):
    """And those of another space, such as the yardstick, with fresh weights."""
    run = copied(finished.run)
    fresh = run.accuracy("found"), (run.folder / "model.safetensors").read_bytes()
    config = run.folder / "config.json"
    record = json.loads(config.read_text())
    record["config"]["training"]["start"] = "inherit"
    config.write_text(json.dumps(record))
    run = again(run)
    shutil.rmtree(run.folder / "checkpoints" / "train-found")
    shutil.rmtree(run.folder / "checkpoints" / "train-MobileNetV2")
    train(run, "found", run.derived.architecture)
    assert (run.folder / "model.safetensors").read_bytes() != fresh[1]
    begun = run.folder / "start-model.safetensors"
    search = Searching(run).go_on()
    expected = search.weights_of(run.derived.architecture)
    network = load_weights(begun, run.space.build(run.derived.architecture))
    assert all(torch.equal(value, expected[name]) for name, value in network.state_dict().items())
    yardstick = (run.folder / "models-MobileNetV2.safetensors").read_bytes()
    train(run, "MobileNetV2", run.rivals.architectures["MobileNetV2"])
    assert (run.folder / "models-MobileNetV2.safetensors").read_bytes() == yardstick
    assert not (run.folder / "start-models-MobileNetV2.safetensors").exists()
