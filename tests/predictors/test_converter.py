"""What a converter keeps: cells that HW-NAS-Bench's Pixel 3 tells apart, and a boundary."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.predictors.converter import find_kept_layers
from surgenas.predictors.messages import describe
from surgenas.spaces.nasbench201 import OPERATORS, NASBench201

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


def test_whatever_is_live_is_kept():
    gates = torch.from_numpy(np.eye(5)[np.random.default_rng(0).integers(5, size=(500, 6))])
    groups = describe(SPACE.costs(), gates)
    assert (groups["kept"] >= groups["live"]).all()
    assert (groups["built"] >= groups["kept"]).all()
    assert 0 < (groups["kept"] - groups["live"]).sum() < (groups["built"] - groups["live"]).sum()
