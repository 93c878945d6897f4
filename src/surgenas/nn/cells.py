"""Networks of one repeated cell: a small graph whose edges are operators, whose nodes are sums of what reaches them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from surgenas.nn.sharing import Sharing
from surgenas.nn.supernet import Gates

Wiring = tuple[tuple[int, int], ...]


class Cell(nn.Module):
    """A small graph of operators that keeps the shape (N, C, H, W).

    wiring: for each edge the node that it reads and the node that its output is added to.
    """

    def __init__(self, edges: Sequence[nn.Module], wiring: Wiring) -> None:
        super().__init__()
        self.edges = nn.ModuleList(edges)
        self.wiring = wiring

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return _flow(x_NCHW, self.wiring, lambda edge, x: self.edges[edge](x))


class CellNetwork(nn.Module):
    """A network of modules in a row, some of them cells: (N, C, H, W) -> (N, classes)."""

    def __init__(self, parts: Sequence[nn.Module]) -> None:
        super().__init__()
        self.parts = nn.Sequential(*parts)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.parts(x_NCHW)


class ChoiceCell(nn.Module):
    """A cell that holds K operators at each edge."""

    def __init__(self, edges: Sequence[Sequence[nn.Module]], wiring: Wiring) -> None:
        super().__init__()
        self.edges = nn.ModuleList(nn.ModuleList(operators) for operators in edges)
        self.wiring = wiring

    def forward(self, x_NCHW: Tensor, gates: Gates, eta: float = 0.0) -> Tensor:
        """(N, C, H, W) -> the same shape. eta: strength of a shortcut beside every edge; 0 leaves it out."""

        def run(edge: int, x: Tensor) -> Tensor:
            h = self._edge(edge, x, gates)
            return torch.add(h, x, alpha=eta) if eta else h

        return _flow(x_NCHW, self.wiring, run)

    def _edge(self, edge: int, x: Tensor, gates: Gates) -> Tensor:
        operators = self.edges[edge]
        if gates.path is None:
            pairs = zip(gates.weights[edge], operators, strict=True)  # type: ignore[call-overload]
            return torch.stack([y * operator(x) for y, operator in pairs]).sum(0)
        k = gates.path[edge]
        out: Tensor = operators[k](x)  # type: ignore[index]
        # a weight of 1 changes nothing; but where it is learned, autograd adds up its gradient over all cells
        return gates.weights[edge, k] * out if gates.weights.requires_grad else out


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


def _flow(x: Tensor, wiring: Wiring, run: Callable[[int, Tensor], Tensor]) -> Tensor:
    """Run all edges of a cell and return its last node. Edges must come in the order of the nodes that they lead to."""
    nodes: dict[int, Tensor] = {0: x}
    for edge, (source, target) in enumerate(wiring):
        out = run(edge, nodes[source])
        nodes[target] = nodes[target] + out if target in nodes else out
    return nodes[max(nodes)]
