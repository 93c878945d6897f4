"""A sum remembers its terms, through activations and views, and nothing else does."""

from __future__ import annotations

import torch

from surgenas.nn.elastic.call import call_of
from surgenas.nn.elastic.sums import Sums

aten = torch.ops.aten


def test_terms_are_remembered_through_additions_and_what_may_come_behind():
    sums, x, y = Sums(), torch.randn(1, 2, 3), torch.randn(1, 2, 3)

    def run(operation, *args):
        out = operation(*args)
        sums.follow(call_of(operation, args, {}, out))
        return out

    number = sums.number(x)
    assert sums.number(x) == number != sums.number(y)
    out = run(aten.relu.default, run(aten.add.Tensor, run(aten.add.Tensor, y, x), y))
    assert sums.has_term(out, number)
    assert sums.has_term(run(aten.transpose.int, out, 1, 2), number)
    assert not sums.has_term(run(aten.mul.Tensor, out, y), number)
    assert not sums.has_term(y, number)


def test_a_tensor_is_no_term_of_itself():
    sums, x = Sums(), torch.randn(2)
    assert not sums.has_term(x, sums.number(x))
    assert not sums.has_term(torch.randn(2), 1)
