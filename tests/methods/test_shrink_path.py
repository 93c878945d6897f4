"""What a search keeps of its way: values that a checkpoint brings back."""

from __future__ import annotations

import torch

from surgenas.methods.shrink_path import Chosen, Reached
from tests.methods.toys import Toy


def test_a_checkpoint_brings_back_the_same_values():
    space = Toy()
    reached = Reached(space.largest(), 0.5, 1.2, 0.01, asked=True)
    assert Reached.from_dict(reached.to_dict(), space) == reached
    chosen = Chosen(space.largest(), 0.5, 1.0, {"bias": torch.ones(2)})
    again = Chosen.from_dict(chosen.to_dict(), space)
    assert (again.arch, again.accuracy, again.loss) == (chosen.arch, 0.5, 1.0)
    assert torch.equal(again.weights["bias"], torch.ones(2))
    assert isinstance(reached.to_dict()["arch"], list), "as torch reads it without running code"
