"""Networks of one repeated cell: a small graph whose edges are operators, whose nodes are sums of what reaches them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

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
    """A cell of a supernet: each of its edges holds K operators, and gates say which of them count."""

    def __init__(self, edges: Sequence[Sequence[nn.Module]], wiring: Wiring) -> None:
        super().__init__()
        self.edges = nn.ModuleList(nn.ModuleList(operators) for operators in edges)
        self.wiring = wiring

    def forward(self, x_NCHW: Tensor, gates: Gates) -> Tensor:
        def run(edge: int, x: Tensor) -> Tensor:
            operators = self.edges[edge]
            if gates.path is not None:
                return operators[gates.path[edge]](x)  # type: ignore[index]
            pairs = zip(gates.weights[edge], operators, strict=True)  # type: ignore[call-overload]
            return torch.stack([y * operator(x) for y, operator in pairs]).sum(0)

        return _flow(x_NCHW, self.wiring, run)


class CellSupernet(nn.Module):
    """All architectures of a cell space in one: every cell takes the operators that the gates say."""

    def __init__(self, parts: Sequence[nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, x_NCHW: Tensor, gates: Gates) -> Tensor:
        for part in self.parts:
            x_NCHW = part(x_NCHW, gates) if isinstance(part, ChoiceCell) else part(x_NCHW)
        return x_NCHW

    def at(self, x_NCHW: Tensor, path: Sequence[int]) -> Tensor:
        """Run the operators at the positions `path`, one for each edge: (N, C, H, W) -> (N, classes)."""
        cell = next(part for part in self.parts if isinstance(part, ChoiceCell))
        return self(x_NCHW, Gates.one_hot(path, len(cell.edges[0])))  # type: ignore[arg-type]

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
