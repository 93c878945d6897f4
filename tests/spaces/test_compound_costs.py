"""Formulas count what counting a built network counts."""

from __future__ import annotations

import pytest

from surgenas.core.moves import uniform_architecture
from surgenas.nn.cost import cost_and_shape
from surgenas.spaces.compound_costs import chain_cost
from surgenas.spaces.layouts import LAYOUTS
from surgenas.spaces.mobile import OPERATORS, Mobile


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("side", "width", "depth", "operator"), [(40, 0.35, 0.6, "k5e6"), (33, 1.1, 1.6, "k3e3")])
def test_a_chain_costs_what_is_counted(layout, side, width, depth, operator):
    chains = Mobile(layout=layout, resolution=side, width=width, depth=depth, classes=7)
    network = chains.build(uniform_architecture(chains, operator))
    assert chain_cost(chains, OPERATORS[operator]).tolist() == list(cost_and_shape(network, (3, side, side))[0])
