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

    def forward(self, x_NCHW: Tensor, y_K: Tensor, k: int | None, eta: float, leak: bool) -> Tensor:
        """h = sum_k y_k o_k(x) + eta A(x) (SurgeNAS, sheet section 3); k: the only operator that runs, if any."""
        if k is None:
            h = torch.stack([y * op(x_NCHW) for y, op in zip(y_K, self.ops, strict=True)]).sum(0)
            return h + eta * self.shortcut(x_NCHW) if eta else h
        h, aux = self.ops[k](x_NCHW), self.shortcut(x_NCHW) if eta else None
        if not y_K.requires_grad:
            return h if aux is None else torch.add(h, aux, alpha=eta)
        return _Gated.apply(h, aux, y_K, k, eta, leak)


class ChoiceSupernet(nn.Module):
    """stem, L choice blocks, head. Call it with the gates of one path, or of all."""

    def __init__(self, stem: nn.Module, layers: Sequence[ChoiceBlock], head: nn.Module) -> None:
        super().__init__()
        self.stem = stem
        self.layers = nn.ModuleList(layers)
        self.head = head

    def forward(self, x_NCHW: Tensor, gates: Gates, eta: float = 0.0) -> Tensor:
        """(N, C, H, W) -> (N, classes). eta: strength of the shortcuts; 0 leaves them out."""
        h = self.stem(x_NCHW)
        path = gates.path or [None] * len(self.layers)
        for block, y_K, k in zip(self.layers, gates.weights.unbind(), path, strict=True):
            h = block(h, y_K, k, eta, gates.leak)
        return self.head(h)


def cut(supernet: ChoiceSupernet, path: Sequence[int], network: ChainNetwork) -> ChainNetwork:
    """The network with the weights of one path of the supernet; in eval mode it computes what the supernet does.

    The supernet's BN has no scale and shift (they would be shared unfairly), the network's start at 1 and 0.
    """
    network.stem.load_state_dict(supernet.stem.state_dict(), strict=False)
    network.head.load_state_dict(supernet.head.state_dict(), strict=False)
    for mine, block, k in zip(network.layers, supernet.layers, path, strict=True):
        missing, unexpected = mine.load_state_dict(block.ops[k].state_dict(), strict=False)  # type: ignore[union-attr,index]
        if unexpected or any(not name.endswith((".weight", ".bias")) for name in missing):
            raise ValueError(f"path and network differ: {unexpected or missing}")
    return network


class _Gated(torch.autograd.Function):
    """y_k o + eta a with y_k = 1: the gate's gradient q = <dL/dh, o> without keeping o for the backward pass.

    The next layer keeps the result h anyway, so that q = <g, h> - eta <g, a>, g = dL/dh, costs no memory but a's
    where a is not the layer's input.
    """

    @staticmethod
    def forward(ctx: Any, o: Tensor, aux: Tensor | None, y_K: Tensor, k: int, eta: float, leak: bool) -> Tensor:
        h = o.view_as(o) if aux is None else torch.add(o, aux, alpha=eta)
        ctx.save_for_backward(h, *(() if aux is None else (aux,)))
        ctx.k, ctx.eta, ctx.leak, ctx.K = k, eta, leak, len(y_K)
        return h

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Any, ...]:
        (g,) = grads
        h, *aux = ctx.saved_tensors
        q_K = g.sum().expand(ctx.K).clone() if ctx.leak else g.new_zeros(ctx.K)
        q_K[ctx.k] = _dot(g, h) - ctx.eta * _dot(g, aux[0]) if aux else _dot(g, h)
        return g, ctx.eta * g if aux else None, q_K, None, None, None


def _dot(a_NCHW: Tensor, b_NCHW: Tensor) -> Tensor:
    """<a, b> without their product in memory; free of copies for channels_last tensors."""
    return torch.dot(a_NCHW.permute(0, 2, 3, 1).reshape(-1), b_NCHW.permute(0, 2, 3, 1).reshape(-1))
