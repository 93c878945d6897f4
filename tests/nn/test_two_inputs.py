"""Networks of cells of two inputs: what reaches a cell, and what a weight of zero leaves out."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgenas.core import moves
from surgenas.nn.cells import Cell
from surgenas.nn.supernet import Gates
from surgenas.nn.two_inputs import NormedPool, TwoInputCell, TwoInputNetwork
from surgenas.spaces.darts import Darts

SPACE = Darts(channels=4, layers=4, resolution=8, classes=3)


class Twice(nn.Module):
    def forward(self, x):
        return 2 * x


def test_a_cell_returns_its_inner_nodes_side_by_side():
    inside = Cell([nn.Identity(), Twice(), nn.Identity()], ((0, 2), (1, 2), (2, 3)))
    cell = TwoInputCell([nn.Identity(), Twice()], inside)
    a, b = torch.ones(1, 1, 2, 2), torch.full((1, 1, 2, 2), 3.0)
    assert cell(a, b)[0, :, 0, 0].tolist() == [1 + 2 * (2 * 3), 1 + 2 * (2 * 3)]


def test_each_cell_reads_the_two_before_it_and_the_first_reads_the_stem_twice():
    def add() -> TwoInputCell:
        return TwoInputCell([nn.Identity(), nn.Identity()], Cell([nn.Identity(), nn.Identity()], ((0, 2), (1, 2))))

    network = TwoInputNetwork(nn.Identity(), [add(), add(), add()], nn.Flatten())
    assert network(torch.ones(1, 1, 1, 1)).item() == 5, "1, 1, then 2, 3, 5"


def test_an_operator_of_weight_zero_changes_no_bit_and_does_not_run():
    torch.manual_seed(0)
    supernet, x = SPACE.supernet(), torch.randn(4, 3, 8, 8)
    weights = SPACE.offered / SPACE.offered.sum(1, keepdims=True)
    without = torch.from_numpy(weights).float()
    without[3, 2] = 0
    ran = []
    for cell in supernet.cells:
        for name, operator in cell.inside.edges[3].named_children():
            operator.register_forward_hook(lambda *_, name=name: ran.append(name))
    said = supernet(x, Gates(without, None))
    assert ran.count("2") == 2, "in the reduction cells alone, whose edge is another row"
    for i, cell in enumerate(supernet.cells):
        if i not in supernet.reductions:
            cell.inside.edges[3][2] = nn.Identity()  # whatever stands there
    assert torch.equal(supernet(x, Gates(without, None)), said)


def test_one_hot_weights_are_the_path():
    torch.manual_seed(0)
    supernet, x = SPACE.supernet().eval(), torch.randn(2, 3, 8, 8)
    arch = moves.decode(SPACE, torch.rand(28, 8).numpy())
    gates = Gates.of(SPACE, arch)
    with torch.no_grad():
        expected = supernet.at(x, moves.path_of(SPACE, arch))
        assert torch.allclose(supernet(x, Gates(gates.weights, None)), expected, atol=1e-6)


def test_gates_get_the_gradient_of_all_cells_of_their_kind():
    torch.manual_seed(0)
    supernet, x = SPACE.supernet().double(), torch.randn(4, 3, 8, 8).double()
    weights = torch.full((28, 8), 1 / 7).double()
    weights[:, -1] = 0
    leaf = weights.clone().requires_grad_()
    (found,) = torch.autograd.grad(supernet(x, Gates(leaf, None)).square().sum(), leaf)
    for row, k in ((0, 3), (20, 5)):
        ends = []
        for sign in (1, -1):
            moved = weights.clone()
            moved[row, k] += sign * 1e-5
            ends.append(supernet(x, Gates(moved, None)).square().sum().item())
        assert found[row, k].item() == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-4)


def test_only_poolings_have_what_a_cut_network_leaves_out():
    supernet = SPACE.supernet()
    pools = [m for m in supernet.modules() if isinstance(m, NormedPool)]
    assert len(supernet.left_out) == len(pools) == 2 * 14 * SPACE.layers


def test_leaking_gates_are_refused():
    with pytest.raises(ValueError, match="chains only"):
        SPACE.supernet()(torch.zeros(1, 3, 8, 8), Gates(torch.ones(28, 8), None, leak=True))
