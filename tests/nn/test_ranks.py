"""One process has all of a batch; what several have together is in tests/training/test_team.py."""

from __future__ import annotations

import torch

from surgenas.nn.ranks import ALONE, Ranks


def test_alone_nothing_is_changed():
    ranks, loss = ALONE.of_batch(7), torch.tensor(2.5)
    assert (ranks.own, ranks.images) == (7, 7)
    assert ranks.weighed(loss) is loss
    assert ranks.mean(loss) is loss
    kept = torch.ones(3)
    ranks.sum_([kept, None])
    assert kept.tolist() == [1, 1, 1]
    assert ranks.slice(kept).shape == (3,)


def test_each_of_several_has_every_so_manieth_image():
    whole = torch.arange(8)
    assert [Ranks(rank, 3).slice(whole).tolist() for rank in range(3)] == [[0, 3, 6], [1, 4, 7], [2, 5]]


def test_a_process_weighs_its_mean_by_its_share_of_the_images():
    assert float(Ranks(1, 3, own=2, images=8).weighed(torch.tensor(4.0))) == 1.0


def test_gradients_are_those_of_autograd():
    x, y = torch.tensor(3.0, requires_grad=True), torch.tensor(1.0, requires_grad=True)
    assert ALONE.gradients(x * x, [x, y], allow_unused=True) == [torch.tensor(6.0), None]
