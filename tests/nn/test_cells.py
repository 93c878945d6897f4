"""Cells against the sum written out by hand, and a supernet of cells against the networks that are cut out of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from surgenas.nn.cell_operators import Nothing, relu_conv_bn
from surgenas.nn.cells import Cell, CellNetwork, CellSupernet, ChoiceCell, Wiring
from surgenas.nn.supernet import Gates
from surgenas.testing import held_bytes

DIAMOND: Wiring = ((0, 1), (0, 2), (1, 3), (2, 3), (0, 3))
C = 3
few = settings(max_examples=25, deadline=None)


class Times(nn.Module):
    """x times a number."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x


def conv(kernel: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(C, C, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(C), nn.Tanh())


def operators() -> list[nn.Module]:
    return [conv(1), conv(3), Times(0.5)]


def supernet() -> CellSupernet:
    """Two cells between a convolution and a head."""
    cells = [ChoiceCell([operators() for _ in DIAMOND], DIAMOND) for _ in range(2)]
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(C, 2))
    return CellSupernet([nn.Conv2d(C, C, 3), *cells, head])


def network(path: Sequence[int]) -> CellNetwork:
    cells = [Cell([operators()[k] for k in path], DIAMOND) for _ in range(2)]
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(C, 2))
    return CellNetwork([nn.Conv2d(C, C, 3), *cells, head])


paths = st.lists(st.integers(0, 2), min_size=len(DIAMOND), max_size=len(DIAMOND)).map(tuple)


def images() -> Tensor:
    return torch.randn(2, C, 6, 6)


def used(net: CellSupernet) -> CellSupernet:
    """Its statistics are not those of a fresh network."""
    net.train()
    for k in range(3):
        net.at(images(), [k] * len(DIAMOND))
    return net.eval()


@given(st.lists(st.floats(-2, 2), min_size=5, max_size=5))
@few
def test_a_node_is_the_sum_of_what_reaches_it(factors):
    a, b, c, d, e = factors
    x = torch.randn(1, C, 2, 2, dtype=torch.double)
    cell = Cell([Times(f) for f in factors], DIAMOND).double()
    assert torch.allclose(cell(x), (c * a + d * b + e) * x, atol=1e-5)


def test_a_chain_of_edges_is_a_composition():
    one, other = conv(3), conv(1)
    x = images()
    assert torch.equal(Cell([one, other], ((0, 1), (1, 2))).eval()(x), nn.Sequential(one, other)(x))


def test_parallel_edges_add_up():
    x = images()
    assert torch.allclose(Cell([Times(2.0), Times(3.0), Times(-1.0)], ((0, 1),) * 3)(x), 4 * x)


NET = used(supernet())


@given(paths)
@few
def test_the_network_cut_out_computes_what_the_supernet_does(path):
    x = images()
    with torch.no_grad():
        assert torch.allclose(NET.cut(path, network(path)).eval()(x), NET.at(x, path), atol=1e-6)


@given(paths)
@few
def test_all_operators_with_gates_of_one_path_are_that_path(path):
    x, hard = images(), Gates.one_hot(path, 3)
    with torch.no_grad():
        assert torch.allclose(NET(x, hard), NET(x, Gates(hard.weights, None)), atol=1e-6)


def test_gates_in_between_mix_what_operators_say():
    """A cell of one edge is linear in its gates."""
    cell, x = ChoiceCell([operators()], ((0, 1),)).eval(), images()
    weights = torch.tensor([[0.2, 0.5, 0.3]])
    mixed = sum(w * cell(x, Gates.one_hot([k], 3)) for k, w in enumerate(weights[0]))
    assert torch.allclose(cell(x, Gates(weights, None)), mixed, atol=1e-6)


def test_every_cell_takes_the_same_path_but_has_weights_of_its_own():
    path = (0, 1, 2, 0, 1)
    cut = NET.cut(path, network(path))
    first, second = (part for part in cut.parts if isinstance(part, Cell))
    assert [type(e) for e in first.edges] == [type(e) for e in second.edges]
    assert not torch.equal(first.edges[0][0].weight, second.edges[0][0].weight)


def test_only_the_operators_of_the_path_run():
    net, seen = supernet(), []
    for cell in (part for part in net.parts if isinstance(part, ChoiceCell)):
        for edge in cell.edges:
            for k, operator in enumerate(edge):
                operator.register_forward_hook(lambda *_, k=k: seen.append(k))
    net.at(images(), (2, 1, 0, 0, 2))
    assert seen == [2, 1, 0, 0, 2] * 2


def test_gradients_reach_the_operators_that_ran_and_the_gates():
    net, weights = supernet(), torch.full((5, 3), 1 / 3, requires_grad=True)
    net(images(), Gates(weights, None)).square().sum().backward()
    assert weights.grad is not None
    assert (weights.grad != 0).all()
    net.zero_grad()
    net.at(images(), (0,) * 5).sum().backward()
    cell = net.parts[1]
    assert isinstance(cell, ChoiceCell)
    touched = [
        [any(p.grad is not None and p.grad.any() for p in op.parameters()) for op in edge] for edge in cell.edges
    ]
    assert touched == [[True, False, False]] * 5


def test_a_network_of_another_path_does_not_take_the_weights():
    with pytest.raises(RuntimeError, match="size mismatch"):
        NET.cut((0,) * 5, network((1,) * 5))


def test_what_is_positive_is_kept_once_and_zeros_are_not_kept():
    """Of one input read by four convolutions autograd keeps one positive part; what says nothing adds nothing."""
    x, w = torch.randn(2, C, 6, 6, requires_grad=True), torch.rand(2, 3, requires_grad=True)
    edges = [[relu_conv_bn(C, C, 1), relu_conv_bn(C, C, 3), Nothing()] for _ in range(2)]
    cell = ChoiceCell(edges, ((0, 1), (0, 1)))

    def apart() -> Tensor:
        first, second = (
            (w[e, 0] * edges[e][0](x) + w[e, 1] * edges[e][1](x)) + w[e, 2] * edges[e][2](x) for e in (0, 1)
        )
        return first + second

    assert torch.equal(cell(x, Gates(w, None)), apart())
    image = 4 * x.numel()
    saved = held_bytes(apart, cell) - held_bytes(lambda: cell(x, Gates(w, None)), cell)
    assert saved == (3 + 2) * image, "three positive parts and two lots of zeros"
    for mine, theirs in zip(torch.autograd.grad(cell(x, Gates(w, None)).sum(), (x, w)),
                            torch.autograd.grad(apart().sum(), (x, w)), strict=True):  # fmt: skip
        assert torch.allclose(mine, theirs, atol=1e-6)
