"""Networks of one repeated cell: a small graph whose edges are operators, whose nodes are sums of what reaches them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, ClassVar

import torch
from timm.layers import DropPath
from torch import Tensor, nn

from surgenas.nn.cell_operators import Nothing, thinned
from surgenas.nn.sharing import Sharing
from surgenas.nn.supernet import Gates

Wiring = tuple[tuple[int, int], ...]


class Cell(nn.Module):
    """A small graph of operators.

    wiring: for each edge the node that it reads and the node that its output is added to. Nodes are numbered from 0,
    the inputs first.
    """

    def __init__(self, edges: Sequence[nn.Module], wiring: Wiring) -> None:
        super().__init__()
        self.edges = nn.ModuleList(edges)
        self.wiring = wiring
        self.drop = DropPath(0.0)  # a training may turn it on; an edge that is the identity is never dropped

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """What the last node holds, (N, C, H, W), of a cell with one input."""
        return self.nodes([x_NCHW])[-1]

    def nodes(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """What all nodes hold, the inputs first; each is (N, C, H, W)."""

        def run(edge: int, x: Tensor) -> Tensor:
            operator = self.edges[edge]
            out: Tensor = operator(x)
            return out if isinstance(operator, nn.Identity) else self.drop(out)

        return _flow(inputs, self.wiring, run)


class CellNetwork(nn.Module):
    """A network of modules in a row, some of them cells: (N, C, H, W) -> (N, classes)."""

    def __init__(self, parts: Sequence[nn.Module]) -> None:
        super().__init__()
        self.parts = nn.Sequential(*parts)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.parts(x_NCHW)


class ChoiceCell(nn.Module):
    """A cell that holds K operators at each edge.

    strides: how many times smaller each edge makes the height and width of what it reads; 1 everywhere if none is said.
    """

    def __init__(
        self, edges: Sequence[Sequence[nn.Module]], wiring: Wiring, strides: Sequence[int] | None = None
    ) -> None:
        super().__init__()
        self.edges = nn.ModuleList(nn.ModuleList(operators) for operators in edges)
        self.wiring = wiring
        self.strides = tuple(strides or [1] * len(wiring))

    def forward(self, x_NCHW: Tensor, gates: Gates, eta: float = 0.0) -> Tensor:
        """What the last node holds, (N, C, H, W), of a cell with one input. eta: strength of a shortcut beside every
        edge; 0 leaves it out."""
        return self.nodes([x_NCHW], gates, eta)[-1]

    def nodes(self, inputs: Sequence[Tensor], gates: Gates, eta: float = 0.0) -> list[Tensor]:
        """What all nodes hold, the inputs first; each is (N, C, H, W).

        Of a node that many operators read, the positive part is computed and kept once for all that begin with a ReLU.
        """
        rectified = cache(nn.functional.relu)  # tensors are equal to themselves alone, and live until this returns

        def run(edge: int, x: Tensor) -> Tensor:
            h = self._edge(edge, x, gates, rectified)
            return torch.add(h, thinned(x, self.strides[edge]), alpha=eta) if eta else h

        return _flow(inputs, self.wiring, run)

    def _edge(self, edge: int, x: Tensor, gates: Gates, rectified: Callable[[Tensor], Tensor]) -> Tensor:
        """An operator whose weight is exactly 0 does not run: without it, the sum is the same bit for bit. So it is
        without one that says nothing, which would only have its zeros kept."""
        operators: Any = self.edges[edge]

        def say(k: int) -> Tensor:
            operator = operators[k]
            if isinstance(operator, nn.Sequential) and isinstance(operator[0], nn.ReLU):
                x_k = rectified(x)
                for part in operator[1:]:
                    x_k = part(x_k)
                return x_k
            return operator(x)

        if gates.path is None:
            speaking = (k for k in gates.running[edge] if not isinstance(operators[k], Nothing))
            parts = (gates.weights[edge, k] * say(k) for k in speaking)
            first = next(parts, None)
            return thinned(x, self.strides[edge]) * 0.0 if first is None else sum(parts, first)
        k = gates.path[edge]
        # a weight of 1 changes nothing; but where it is learned, autograd adds up its gradient over all cells
        return gates.weights[edge, k] * say(k) if gates.weights.requires_grad else say(k)


class CellSupernet(nn.Module):
    """All architectures of a cell space in one: every cell takes the operators that the gates say.

    parts: the first is the stem, which no gate touches.
    """

    shares: ClassVar[Sharing] = "cells"

    def __init__(self, parts: Sequence[nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    @property
    def stem(self) -> nn.Module:
        return self.parts[0]

    def forward(self, x_NCHW: Tensor, gates: Gates, eta: float = 0.0) -> Tensor:
        """(N, C, H, W) -> (N, classes). eta: strength of the shortcuts beside edges; 0 leaves them out."""
        return self.after_stem(self.stem(x_NCHW), gates, eta)

    def after_stem(self, h: Tensor, gates: Gates, eta: float = 0.0) -> Tensor:
        """The same from the stem's result on. Gates that want a gradient are a leaf; all cells add to it."""
        if gates.leak:
            raise ValueError("gates leak in chains only: here a gate's gradient is that of its own operator")
        for part in self.parts[1:]:
            h = part(h, gates, eta) if isinstance(part, ChoiceCell) else part(h)
        return h

    def at(self, x_NCHW: Tensor, path: Sequence[int], eta: float = 0.0) -> Tensor:
        """The same for one path."""
        cell = next(part for part in self.parts if isinstance(part, ChoiceCell))
        return self(x_NCHW, Gates.one_hot(path, len(cell.edges[0])), eta)  # type: ignore[arg-type]

    def cut(self, path: Sequence[int], network: CellNetwork) -> CellNetwork:
        """Copy the weights of one path into a network that the space built, and return it.

        In eval mode the network then computes what the supernet does on that path.
        """
        for mine, part in zip(network.parts, self.parts, strict=True):
            if isinstance(mine, Cell) and isinstance(part, ChoiceCell):
                for edge, operators, k in zip(mine.edges, part.edges, path, strict=True):
                    edge.load_state_dict(operators[k].state_dict())  # type: ignore[index]
            else:
                mine.load_state_dict(part.state_dict())
        return network


def _flow(inputs: Sequence[Tensor], wiring: Wiring, run: Callable[[int, Tensor], Tensor]) -> list[Tensor]:
    """Run all edges of a cell and return what its nodes hold. Edges must come in the order of the nodes that they lead
    to."""
    nodes = list(inputs)
    for edge, (source, target) in enumerate(wiring):
        out = run(edge, nodes[source])
        if target == len(nodes):
            nodes.append(out)
        else:
            nodes[target] = nodes[target] + out
    return nodes
