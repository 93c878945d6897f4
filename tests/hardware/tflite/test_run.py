"""Both interpreters compute the same integers, near to what PyTorch computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.engine.jobs import job_of
from surgenas.nn.statistics import settle_statistics
from surgenas.spaces import make_space
from tests.hardware.tflite.compared import file_of, images_of

pytest.importorskip("tflite_micro")

from surgenas.hardware.tflite.run import logits, steps_apart

SPACES = ("mobile", "mobile_multi", "single_path_se", "nasbench201", "darts")


@pytest.mark.parametrize("name", SPACES)
def test_networks_of_each_space_are_the_same_on_a_microcontroller(name):
    settings = {"nasbench201": {"channels": 4, "repeats": 1}, "darts": {"channels": 4, "layers": 3}}.get(name, {})
    space = make_space(name, {"resolution": 16, **settings})
    network = settle_statistics(job_of(moves.sample(space, np.random.default_rng(0)), space).module, space.input_shape)
    file, images = file_of(network, space.input_shape), images_of(space.input_shape)
    with torch.no_grad():
        expected = network(torch.from_numpy(images)).numpy()
    found = logits(file, images)
    assert steps_apart(file, images) == 0
    assert found.shape == expected.shape
    # random networks are chaotic: what counts is that logits go up and down together
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.8
