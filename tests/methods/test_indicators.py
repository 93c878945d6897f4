"""Which decisions are kept while warming up, and the paper's runtime formula."""

from __future__ import annotations

import pytest
import torch

from surgenas.methods.indicators import draw_dropout, paper_runtime
from surgenas.nn.superkernel import E3
from surgenas.spaces.single_path import SinglePath

SPACE = SinglePath(layout="small", resolution=16, classes=10)
SUPERNET = SPACE.supernet()
SKIPPABLE = [bool(layer.skippable) for layer in SUPERNET.layers]


def draw(kind, seed=0, keep=0.6):
    return draw_dropout(kind, keep, SKIPPABLE, 3, torch.Generator().manual_seed(seed))


def test_dropout_gives_operators_an_equal_chance():
    some = torch.stack([draw("equal", seed)[:2] for seed in range(3000)])
    gates = torch.stack([SUPERNET.gates(decisions) for decisions in some]).mean(0)
    assert torch.allclose(gates[1], torch.tensor([1, 1, 1, 1, 2]) / 6, atol=0.04)
    assert torch.allclose(gates[0, :4], torch.full((4,), 0.25), atol=0.04)
    assert draw("authors").unique().tolist() == pytest.approx([0.0, 1 / 0.6])
    assert (draw("none") == 1).all()


@pytest.mark.parametrize("kind", ["equal", "authors"])
def test_a_layer_that_must_be_there_is_never_skipped(kind):
    must = [layer for layer, may in enumerate(SKIPPABLE) if not may]
    assert must
    assert all((draw(kind, seed, keep=0.05)[must, E3] > 0).all() for seed in range(50))


def test_the_papers_runtime_is_exact_only_where_its_ratio_is():
    """R_e rho is R_{k3} at e6 by definition; at e3 it is only as far as kernels cost the same share there."""
    flat = {"k3e6": torch.tensor([4.0]), "k5e3": torch.tensor([3.0]), "k5e6": torch.tensor([8.0])}
    cases = {(1, 1, 1): 8.0, (0, 1, 1): 4.0, (1, 1, 0): 3.0, (0, 1, 0): 1.5, (1, 0, 1): 0.0}
    for decisions, ms in cases.items():
        assert paper_runtime(torch.tensor([decisions]).float(), flat) == ms
