"""Every operation in the table exists; what is not in it, or cannot be followed, is fixed by name."""

from __future__ import annotations

import torch
from torch import nn

from surgenas.nn.elastic.joined import NONE
from surgenas.nn.elastic.labels import Labels
from surgenas.nn.elastic.rules import MAKERS, RULES

aten = torch.ops.aten


def test_every_name_is_one_of_torch():
    assert [name for name in {*RULES, *MAKERS} if not hasattr(aten, name)] == []
    assert MAKERS.isdisjoint(RULES)


def numbered(labels: Labels, *shape: int) -> torch.Tensor:
    x = torch.randn(shape)
    labels.give(x, torch.from_numpy(labels.joined.more(x.numel())).reshape(shape))
    return x


def test_an_operation_in_no_table_fixes_what_it_is_given_and_says_its_name(run):
    labels = Labels(nn.Identity())
    x = numbered(labels, 1, 3)
    out = run(labels, aten.cumsum.default, x, 1)
    assert [(n.tolist(), why) for n, why in labels.fixed] == [
        ([0, 1, 2], "an operation that is not understood (cumsum)")
    ]
    assert labels.of(out).tolist() == [[NONE] * 3]


def test_what_a_rule_cannot_follow_is_fixed_too(run):
    """A softmax of a single number has no axis that the rule could look along."""
    labels = Labels(nn.Identity())
    run(labels, aten._softmax.default, numbered(labels), 0, False)
    assert [(n.tolist(), why) for n, why in labels.fixed] == [([0], "an operation that is not understood (_softmax)")]


def test_what_is_made_anew_is_nobodys(run):
    labels = Labels(nn.Identity())
    out = run(labels, aten.zeros_like.default, numbered(labels, 1, 2))
    assert not labels.knows(out)
    assert labels.fixed == []
