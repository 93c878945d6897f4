"""What a converter keeps: cells that HW-NAS-Bench's Pixel 3 tells apart, and a boundary."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core import moves
from surgenas.predictors.converter import chance_of_any, find_kept_layers
from surgenas.predictors.messages import describe
from surgenas.spaces.nasbench201 import OPERATORS, WIRING, NASBench201

SPACE = NASBench201()
LETTERS = dict(zip("-s13p", OPERATORS, strict=True))


def code(*cells):
    """Edges 0to1, 0to2, 1to2, 0to3, 1to3, 2to3 by letters: - none, s skip, 1 and 3 convolutions, p pooling."""
    archs = [SPACE.architecture(tuple(LETTERS[letter] for letter in cell)) for cell in cells]
    return torch.from_numpy(moves.encode(SPACE, archs))


@pytest.mark.parametrize(
    ("cell", "charged"),
    [
        ("333333", "333333"),  # everything is used
        ("---3--", "---3--"),
        ("3--1--", "3--1--"),  # one convolution at a dead end is folded with zero, and computed
        ("-3-1--", "-3-1--"),
        ("--31--", "--31--"),  # so is one that reads zeros: it is not known to be zero
        ("---1-3", "---1-3"),
        ("3-31--", "3-31--"),  # with all that it reads
        ("p-31--", "p-31--"),
        ("3-s1--", "3-s1--"),  # an identity of a convolution is one
        ("p--1--", "---1--"),  # a pooling is not
        ("3-p1--", "---1--"),
        ("-331--", "---1--"),  # nor is a sum
        ("-3p1--", "---1--"),
        ("-3s1--", "-3-1--"),  # but an identity of zeros adds nothing to it
        ("33-1--", "---1--"),  # a convolution of zeros does
        ("3p-1--", "---1--"),
        ("s3-1--", "-3-1--"),
        ("33-1-3", "33-1-3"),  # and is part of a sum that is used
        ("33-11-", "33-11-"),  # of a convolution that is read for its own sake, nothing is zero
        ("3-----", "3-----"),
        ("33----", "------"),
        ("----3-", "------"),  # a result that does not depend on the input is a constant
    ],
)
def test_what_is_charged(cell, charged):
    gates = code(cell)
    counts, _ = find_kept_layers(SPACE.costs(), gates)
    left = [
        letter if letter in "13p" and count else "-" for letter, count in zip(cell, counts[0].tolist(), strict=True)
    ]
    assert "".join(left) == "".join(letter if letter in "13p" else "-" for letter in charged)


@pytest.mark.parametrize(
    ("cell", "charged"),
    [
        ("333333", "333333"),
        ("3--1--", "---1--"),  # a product with zero is zero, whatever made the other factor
        ("3-31--", "---1--"),
        ("--31--", "---1--"),
        ("---1-3", "---1-3"),  # but what is computed of zeros is computed
        ("33-1-3", "-3-1-3"),
        ("----3-", "------"),
    ],
)
def test_a_converter_that_folds_nothing_charges_for_what_is_used(cell, charged):
    counts, adds = find_kept_layers(SPACE.costs(), code(cell), folds=False)
    kept = (counts * adds)[0].tolist()
    assert "".join(x if x in "13p" and k else "-" for x, k in zip(cell, kept, strict=True)) == charged


def test_whatever_is_live_is_kept():
    gates = torch.from_numpy(np.eye(5)[np.random.default_rng(0).integers(5, size=(500, 6))])
    groups = describe(SPACE.costs(), gates)
    assert (groups["kept"] >= groups["live"]).all()
    assert (groups["built"] >= groups["kept"]).all()
    assert 0 < (groups["kept"] - groups["live"]).sum() < (groups["built"] - groups["live"]).sum()


def by_rules(genes):
    """The three rules for one cell, with booleans in place of chances: which edges count, which add something."""
    zero, single, depends = {0: False}, {0: False}, {0: True}
    adds, leads = {}, {}
    for node in (1, 2, 3):
        convolutions = []
        for e, (source, _) in [(e, edge) for e, edge in enumerate(WIRING) if edge[1] == node]:
            readers = [(genes[o], target) for o, (read, target) in enumerate(WIRING) if read == source]
            unused = all(gene == "none" for gene, _ in readers) and node == min(target for _, target in readers)
            folded = single[source] and unused
            computes = genes[e] not in ("none", "skip_connect")
            adds[e] = computes or folded or (genes[e] == "skip_connect" and not zero[source])
            leads[e] = genes[e] != "none" or folded
            if genes[e].startswith("nor_conv") or folded or (genes[e] == "skip_connect" and single[source]):
                convolutions.append(e)
        into = [e for e, (_, target) in enumerate(WIRING) if target == node]
        adding = [e for e in into if adds[e]]
        zero[node] = not adding
        single[node] = len(adding) == 1 and adding[0] in convolutions
        depends[node] = any(leads[e] and depends[WIRING[e][0]] for e in into)
    counts = {3: depends[3]}
    for node in (2, 1):
        counts[node] = any(leads[e] and counts[t] for e, (s, t) in enumerate(WIRING) if s == node)
    return [counts[t] for _, t in WIRING], [adds[e] for e in range(6)]


def test_chances_of_one_hot_gates_are_the_rules_by_cases():
    """Every seventh of all cells."""
    archs = list(moves.enumerate_all(SPACE))[::7]
    counts, adds = find_kept_layers(SPACE.costs(), torch.from_numpy(moves.encode(SPACE, archs)))
    assert ((counts == 0) | (counts == 1)).all()
    for arch, counting, adding in zip(archs, counts.bool().tolist(), adds.bool().tolist(), strict=True):
        assert (counting, adding) == by_rules(arch.genes), arch


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_the_chance_of_any_is_summed_over_all_cases(chances):
    """Of every way in which independent events come true or not, those in which one does."""
    total = 0.0
    for case in product((True, False), repeat=len(chances)):
        probability = math.prod(p if happens else 1 - p for p, happens in zip(chances, case, strict=True))
        total += probability if any(case) else 0.0
    assert float(chance_of_any(torch.tensor(p, dtype=torch.double) for p in chances)) == pytest.approx(total)


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_chances_stay_between_never_and_always(seed):
    gates = torch.softmax(3 * torch.randn(4, 6, 5, generator=torch.Generator().manual_seed(seed)), 2)
    counts, adds = find_kept_layers(SPACE.costs(), gates)
    assert counts.min() >= -1e-6
    assert counts.max() <= 1 + 1e-6
    assert adds.min() >= -1e-6
