"""How do all architectures of a chain space share weights? One copy of each operator in each layer, picked by gates.

Nothing here remembers a chosen sub-network: what runs is the argument `gates`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from surgenas.core.architecture import Architecture
from surgenas.core.moves import indices
from surgenas.core.space import Space
from surgenas.nn.chain import ChainNetwork


@dataclass(frozen=True, eq=False)
class Gates:
    """One forward pass: which operators run in each layer, and with which weight.

    weights: (L, K). path: the one operator that runs in each layer, or None if all run and are summed.
    With a path, weights is its one-hot code, and only its gradient matters: it reaches the gate of the operator
    that ran, and 0 the others, or with `leak` the sum over dL/dh, as the authors' later code has it.
    """

    weights: Tensor
    path: tuple[int, ...] | None
    leak: bool = False

    @classmethod
    def one_hot(cls, path: Sequence[int], operators: int, **where: Any) -> Gates:
        """A hard path without gradient."""
        code = nn.functional.one_hot(torch.tensor(path, **where), operators)
        return cls(code.float(), tuple(int(k) for k in path))

    @classmethod
    def of(cls, space: Space, arch: Architecture) -> Gates:
        return cls.one_hot(indices(space, arch), max(len(c.options) for c in space.choices))


class ChoiceBlock(nn.Module):
    """One layer: K operators, and the shortcut of identity mapping regularization."""

    def __init__(self, operators: Sequence[nn.Module], shortcut: nn.Module) -> None:
        super().__init__()
        self.ops = nn.ModuleList(operators)
        self.shortcut = shortcut

    def forward(self, x_NCHW: Tensor, y_K: Tensor, eta: float) -> Tensor:
        """h = sum_k y_k o_k(x) + eta A(x) (docs/methods/surgenas.md, 3): all operators at once."""
        h = torch.stack([y * op(x_NCHW) for y, op in zip(y_K, self.ops, strict=True)]).sum(0)
        return h + eta * self.shortcut(x_NCHW) if eta else h

    def one(self, x_NCHW: Tensor, k: int, eta: float) -> tuple[Tensor, Tensor | None]:
        """The same where y is one-hot: only operator k runs. Also A(x), if it was used."""
        o = self.ops[k](x_NCHW)
        if not eta:
            return o, None
        aux = self.shortcut(x_NCHW)
        return torch.add(o, aux, alpha=eta), aux


class ChoiceSupernet(nn.Module):
    """stem, L choice blocks, head. Call it with the gates of one path, or of all."""

    def __init__(self, stem: nn.Module, layers: Sequence[ChoiceBlock], head: nn.Module) -> None:
        super().__init__()
        self.stem = stem
        self.layers = nn.ModuleList(layers)
        self.head = head

    def forward(self, x_NCHW: Tensor, gates: Gates, eta: float = 0.0) -> Tensor:
        """(N, C, H, W) -> (N, classes). eta: strength of the shortcuts; 0 leaves them out.

        Gates of one path that want a gradient are a leaf; they get it in a single backward pass.
        """
        return self.after_stem(self.stem(x_NCHW), gates, eta)

    def at(self, x_NCHW: Tensor, path: Sequence[int], eta: float = 0.0) -> Tensor:
        """The same for one path, without gradient for its gates."""
        operators = max(len(block.ops) for block in self.layers)  # type: ignore[arg-type]
        return self(x_NCHW, Gates.one_hot(path, operators), eta)

    def cut(self, path: Sequence[int], network: ChainNetwork) -> ChainNetwork:
        """The network with the weights of one path; in eval mode it computes what the supernet does.

        The supernet's BN has no scale and shift (they would be shared unfairly), the network's start at 1 and 0.
        """
        network.stem.load_state_dict(self.stem.state_dict(), strict=False)
        network.head.load_state_dict(self.head.state_dict(), strict=False)
        for mine, block, k in zip(network.layers, self.layers, path, strict=True):
            missing, unexpected = mine.load_state_dict(block.ops[k].state_dict(), strict=False)  # type: ignore[union-attr,index]
            if unexpected or any(not name.endswith((".weight", ".bias")) for name in missing):
                raise ValueError(f"path and network differ: {unexpected or missing}")
        return network

    def after_stem(self, h: Tensor, gates: Gates, eta: float = 0.0) -> Tensor:
        """The same from the stem's result on, which all paths of a step share."""
        if gates.path is None:
            for block, y_K in zip(self.layers, gates.weights.unbind(), strict=True):
                h = block(h, y_K, eta)
            return self.head(h)
        listening = gates.weights.requires_grad and torch.is_grad_enabled()
        if listening:
            gates.weights.grad = torch.zeros_like(gates.weights)  # autograd would refuse, were it not a leaf
        for layer, (block, k) in enumerate(zip(self.layers, gates.path, strict=True)):
            h, aux = block.one(h, k, eta)  # type: ignore[operator]
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
