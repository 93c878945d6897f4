"""Networks of cells that read the two cells before them, as in DARTS: (N, C, H, W) -> (N, classes)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from surgenas.nn.cells import Cell, ChoiceCell
from surgenas.nn.sharing import Sharing
from surgenas.nn.supernet import Gates


class TwoInputCell(nn.Module):
    """A cell that reads two tensors, and returns its other nodes, concatenated.

    ready: for each input, what brings it to the cell's channels, height and width.
    """

    def __init__(self, ready: Sequence[nn.Module], inside: Cell | ChoiceCell) -> None:
        super().__init__()
        self.ready = nn.ModuleList(ready)
        self.inside = inside

    def forward(self, before_last: Tensor, last: Tensor, *how: Any) -> Tensor:
        """how: gates and eta, if the cell holds several operators at each edge."""
        inputs = [ready(x) for ready, x in zip(self.ready, (before_last, last), strict=True)]
        return torch.cat(self.inside.nodes(inputs, *how)[len(inputs) :], dim=1)


class TwoInputNetwork(nn.Module):
    """A stem, cells, and a head. The first cell reads the stem's output twice.

    second: makes a second classifier, and the position of the cell that it reads; None if there is no place for one.
    """

    def __init__(
        self, stem: nn.Module, cells: Sequence[TwoInputCell], head: nn.Module,
        second: tuple[Callable[[], nn.Module], int] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem, self.cells, self.head = stem, nn.ModuleList(cells), head
        self.second = second
        self.auxiliary: nn.Module | None = None

    def add_auxiliary(self) -> None:
        """Add the second classifier. In training mode the network returns the logits of both then."""
        assert self.second is not None, "the space gave one"
        self.auxiliary = self.second[0]()

    def forward(self, x_NCHW: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        before_last = last = self.stem(x_NCHW)
        said = None
        for i, cell in enumerate(self.cells):
            before_last, last = last, cell(before_last, last)
            if self.training and self.auxiliary is not None and self.second is not None and i == self.second[1]:
                said = self.auxiliary(last)
        logits: Tensor = self.head(last)
        return logits if said is None else (logits, said)


class TwoInputSupernet(nn.Module):
    """All networks of a space of two kinds of cells: every cell holds all operators at each of its edges.

    reductions: the positions of the cells of the second kind. Gates are of both kinds' edges, (2 E, K), the first
    kind's before. Normalizations have no scale and shift.
    """

    shares: ClassVar[Sharing] = "cells"

    def __init__(
        self, stem: nn.Module, cells: Sequence[TwoInputCell], head: nn.Module, reductions: Sequence[int]
    ) -> None:
        super().__init__()
        self.stem, self.cells, self.head = stem, nn.ModuleList(cells), head
        self.reductions = frozenset(reductions)

    def forward(self, x_NCHW: Tensor, gates: Gates, eta: float = 0.0) -> Tensor:
        """(N, C, H, W) -> (N, classes). eta: strength of the shortcuts beside edges; 0 leaves them out."""
        return self.after_stem(self.stem(x_NCHW), gates, eta)

    def after_stem(self, h: Tensor, gates: Gates, eta: float = 0.0) -> Tensor:
        """The same from the stem's result on. Gates that want a gradient are a leaf; all cells of a kind add to it."""
        if gates.leak:
            raise ValueError("gates leak in chains only: here a gate's gradient is that of its own operator")
        E = len(self._first.edges)
        kinds = gates.of_layers(0, E), gates.of_layers(E, 2 * E)
        before_last = last = h
        for i, cell in enumerate(self.cells):
            before_last, last = last, cell(before_last, last, kinds[i in self.reductions], eta)
        return self.head(last)

    def at(self, x_NCHW: Tensor, path: Sequence[int], eta: float = 0.0) -> Tensor:
        """The same for one path."""
        return self(x_NCHW, Gates.one_hot(path, len(self._first.edges[0])), eta)  # type: ignore[arg-type]

    def cut(self, path: Sequence[int], network: TwoInputNetwork) -> TwoInputNetwork:
        """Copy the weights of one path into the network that the space built of it, and return it.

        In eval mode the network then computes what the supernet does on that path, but for what `left_out` does.
        """
        network.stem.load_state_dict(self.stem.state_dict(), strict=False)
        network.head.load_state_dict(self.head.state_dict(), strict=False)
        E = len(self._first.edges)
        for i, (mine, theirs) in enumerate(zip(network.cells, self.cells, strict=True)):
            kind = path[E:] if i in self.reductions else path[:E]
            cell: Any = mine
            whole: Any = theirs
            cell.ready.load_state_dict(whole.ready.state_dict(), strict=False)
            for operator, edge in zip(cell.inside.edges, cell.inside.wiring, strict=True):
                e = whole.inside.wiring.index(edge)
                operator.load_state_dict(whole.inside.edges[e][kind[e]].state_dict(), strict=False)
        return network

    @property
    def left_out(self) -> list[nn.BatchNorm2d]:
        """The normalizations behind poolings, which no cut network has."""
        return [m.norm for m in self.modules() if isinstance(m, NormedPool)]

    @property
    def _first(self) -> ChoiceCell:
        cell: Any = self.cells[0]
        inside: ChoiceCell = cell.inside
        return inside


class NormedPool(nn.Module):
    """A pooling and a batch normalization without scale and shift, so that it weighs as much as a convolution."""

    def __init__(self, pool: nn.Module, channels: int) -> None:
        super().__init__()
        self.pool = pool
        self.norm = nn.BatchNorm2d(channels, affine=False)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.norm(self.pool(x_NCHW))
