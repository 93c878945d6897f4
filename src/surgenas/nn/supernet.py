"""How do all architectures of a chain space share weights? Each layer holds one copy of every operator.

Which operators run is said by the argument `gates` of each call; a supernet remembers no chosen sub-network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from surgenas.core.architecture import Architecture
from surgenas.core.moves import path_of
from surgenas.core.space import Space
from surgenas.nn.chain import ChainNetwork
from surgenas.nn.sharing import Sharing


@dataclass(frozen=True, eq=False)
class Gates:
    """Which operators run in one forward pass of a supernet, and what each counts.

    weights: (L, K), the factor of each of the K operators in each of the L layers. path: the position of the one
    operator that runs in each layer; None if all of them run and are summed with their weights.

    With a path, `weights` is its one-hot code, and serves to receive a gradient: the gate of the operator that ran gets
    <dL/dh, o(x)>, h the layer's output and o(x) the operator's; the other gates of the layer get 0. If `leak`, they get
    the sum over dL/dh, as in the public code of SurgeNAS's authors (docs/methods/surgenas.md, 4).
    """

    weights: Tensor
    path: tuple[int, ...] | None
    leak: bool = False

    @cached_property
    def running(self) -> list[list[int]]:
        """For each layer, the positions of the operators whose weight is not exactly 0."""
        return [[k for k, there in enumerate(row) if there] for row in (self.weights.detach() != 0).tolist()]

    def of_layers(self, first: int, last: int) -> Gates:
        """The gates of a part of the layers: from `first` to before `last`."""
        return Gates(self.weights[first:last], self.path[first:last] if self.path else None, self.leak)

    @classmethod
    def one_hot(cls, path: Sequence[int], operators: int, **where: Any) -> Gates:
        """The gates of one path of L positions, (L, operators), without a gradient. where: torch's device or dtype."""
        code = nn.functional.one_hot(torch.tensor(path, **where), operators)
        return cls(code.float(), tuple(int(k) for k in path))

    @classmethod
    def of(cls, space: Space, arch: Architecture) -> Gates:
        """The gates that run one architecture of a space."""
        return cls.one_hot(path_of(space, arch), max(len(row.options) for row in space.rows))


class ChoiceBlock(nn.Module):
    """One layer of a supernet: K operators, and the shortcut of identity mapping regularization."""

    def __init__(self, operators: Sequence[nn.Module], shortcut: nn.Module) -> None:
        super().__init__()
        self.ops = nn.ModuleList(operators)
        self.shortcut = shortcut

    def forward(self, x_NCHW: Tensor, y_K: Tensor, eta: float) -> Tensor:
        """h = sum_k y_k o_k(x) + eta A(x) (docs/methods/surgenas.md, 3), all K operators at once."""
        h = torch.stack([y * op(x_NCHW) for y, op in zip(y_K, self.ops, strict=True)]).sum(0)
        return h + eta * self.shortcut(x_NCHW) if eta else h

    def run_one(self, x_NCHW: Tensor, k: int, eta: float) -> tuple[Tensor, Tensor | None]:
        """(h, A(x)) where operator k alone runs, h = o_k(x) + eta A(x); None for A(x) if eta is 0."""
        o = self.ops[k](x_NCHW)
        if not eta:
            return o, None
        aux = self.shortcut(x_NCHW)
        return torch.add(o, aux, alpha=eta), aux


class ChoiceSupernet(nn.Module):
    """A supernet of stem, L choice blocks and head, called with the gates of one path or of all operators."""

    shares: ClassVar[Sharing] = "choice"

    def __init__(self, stem: nn.Module, layers: Sequence[ChoiceBlock], head: nn.Module) -> None:
        super().__init__()
        self.stem = stem
        self.layers = nn.ModuleList(layers)
        self.head = head

    def forward(self, x_NCHW: Tensor, gates: Gates, eta: float = 0.0) -> Tensor:
        """(N, C, H, W) -> (N, classes). eta: strength of the shortcuts; 0 leaves them out.

        If the gates of a path require a gradient, they must be a leaf tensor, and get it in one backward pass.
        """
        return self.after_stem(self.stem(x_NCHW), gates, eta)

    def at(self, x_NCHW: Tensor, path: Sequence[int], eta: float = 0.0) -> Tensor:
        """Run the operators at the positions `path`, without a gradient for gates: (N, C, H, W) -> (N, classes)."""
        operators = max(len(block.ops) for block in self.layers)  # type: ignore[arg-type]
        return self(x_NCHW, Gates.one_hot(path, operators), eta)

    def cut(self, path: Sequence[int], network: ChainNetwork) -> ChainNetwork:
        """Copy the weights of one path into a network that the space built, and return it.

        In eval mode the network then computes what the supernet does on that path. The supernet's BN has no scale and
        shift (operators would share them unfairly); the network's keep their 1 and 0. Raises ValueError if the network
        is not that of the path.
        """
        network.stem.load_state_dict(self.stem.state_dict(), strict=False)
        network.head.load_state_dict(self.head.state_dict(), strict=False)
        for mine, block, k in zip(network.layers, self.layers, path, strict=True):
            missing, unexpected = mine.load_state_dict(block.ops[k].state_dict(), strict=False)  # type: ignore[union-attr,index]
            if unexpected or any(not name.endswith((".weight", ".bias")) for name in missing):
                raise ValueError(f"path and network differ: {unexpected or missing}")
        return network

    def after_stem(self, h: Tensor, gates: Gates, eta: float = 0.0) -> Tensor:
        """Run the layers and the head on the output of the stem, which all paths of a training step share."""
        if gates.path is None:
            for block, y_K in zip(self.layers, gates.weights.unbind(), strict=True):
                h = block(h, y_K, eta)
            return self.head(h)
        listening = gates.weights.requires_grad and torch.is_grad_enabled()
        if listening:
            gates.weights.grad = torch.zeros_like(gates.weights)  # autograd would refuse, were it not a leaf
        for layer, (block, k) in enumerate(zip(self.layers, gates.path, strict=True)):
            h, aux = block.run_one(h, k, eta)  # type: ignore[operator]
            if listening and h.requires_grad:
                _listen(h, aux, gates.weights.grad[layer], k, eta, gates.leak)  # type: ignore[index]
        return self.head(h)


def _listen(h: Tensor, aux: Tensor | None, q_K: Tensor, k: int, eta: float, leak: bool) -> None:
    """When g = dL/dh is known, note the gate's gradient q_k = <g, o> without keeping o for the backward pass.

    h = y_k o + eta a with y_k = 1, and the next layer keeps h anyway, so that q_k = <g, h> - eta <g, a> costs no
    memory but a's where a is not the layer's input.
    """
    held = [t.detach() for t in (h, aux) if t is not None]

    def note(g: Tensor) -> None:
        if leak:
            q_K.fill_(g.sum())
        seen, *shortcut = (_dot(g, t) for t in held)
        q_K[k] = seen - eta * shortcut[0] if shortcut else seen
        held.clear()  # the graph outlives its backward pass; activations must not

    h.register_hook(note)


def _dot(a_NCHW: Tensor, b_NCHW: Tensor) -> Tensor:
    """<a, b> without their product in memory; free of copies for channels_last tensors."""
    return torch.dot(a_NCHW.permute(0, 2, 3, 1).reshape(-1), b_NCHW.permute(0, 2, 3, 1).reshape(-1))
