"""An operation is known by the names of its arguments, whether they were given by place, by name or not at all."""

from __future__ import annotations

import torch

from surgenas.nn.elastic.call import call_of

aten = torch.ops.aten


def test_arguments_have_names_and_defaults():
    x = torch.randn(1, 4, 4, 4)
    operation = aten.mean.dim
    call = call_of(operation, (x, [2, 3]), {"keepdim": True}, operation(x, [2, 3], keepdim=True))
    assert call.name == "mean"
    assert call["self"] is x
    assert (call["dim"], call["keepdim"], call["dtype"]) == ([2, 3], True, None)
    assert call.out.shape == (1, 4, 1, 1)


def test_tensors_are_found_in_lists_and_outputs_in_tuples():
    x, y = torch.randn(1, 4), torch.randn(1, 2)
    call = call_of(aten.cat.default, ([x, y], 1), {}, torch.cat([x, y], 1))
    assert [t is u for t, u in zip(call.tensors, (x, y), strict=True)] == [True, True]
    pieces = call_of(aten.split.Tensor, (x, 2, 1), {}, x.split(2, 1))
    assert [tuple(piece.shape) for piece in pieces.outputs] == [(1, 2), (1, 2)]
