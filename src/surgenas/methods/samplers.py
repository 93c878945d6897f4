"""Which paths does one training step run? Five published answers with one signature.

A sampler takes logits (L, K), a temperature and a torch.Generator, and returns the gates of the paths of one step, in
fp32. Gradient flows from the gates to the logits where the method is differentiable and grad mode is on. A layer that
has fewer than K operators has logits of -inf in place of the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from surgenas.nn.supernet import Gates

Sampler = Callable[[Tensor, float, torch.Generator], list[Gates]]
"""The signature of a sampler, as described above."""


def ordered_differentiable(logits_LK: Tensor, tau: float, generator: torch.Generator) -> list[Gates]:
    """ODS (docs/methods/surgenas.md, 4): K paths from an ordering of all K operators in every layer, drawn without
    replacement.

    Every operator of every layer runs exactly once (strict fairness), the probable ones in earlier paths on average:
    the ordering is Plackett-Luce distributed. A layer of fewer operators begins its ordering anew.
    """
    left_LK = logits_LK.float()
    paths = []
    for _ in range(_most(logits_LK)):
        gates, drawn = _straight_through(left_LK, tau, generator)
        paths.append(gates)
        left_LK = left_LK.masked_fill(drawn, -math.inf)  # softmax renormalises what is left
        left_LK = torch.where(left_LK.isneginf().all(1, keepdim=True), logits_LK.float(), left_LK)
    return paths


def uniform_orderings(logits_LK: Tensor, tau: float, generator: torch.Generator) -> list[Gates]:
    """FairNAS (Chu et al. 2021): K paths that use every operator of every layer once, in orderings that ignore the
    logits. A layer of fewer operators runs them in turns."""
    L, K = logits_LK.shape
    order_LK = torch.rand(L, K, generator=generator).argsort(dim=1)
    paths = _most(logits_LK)
    if logits_LK.isneginf().any():
        rows = zip(order_LK, logits_LK.isfinite().sum(1).tolist(), strict=True)
        order_LK = torch.stack([row[row < there].repeat(-(-paths // there))[:paths] for row, there in rows])
    return [Gates.one_hot(order_LK[:, i].tolist(), K, device=logits_LK.device) for i in range(paths)]


def single_gumbel(logits_LK: Tensor, tau: float, generator: torch.Generator) -> list[Gates]:
    """GDAS (Dong and Yang 2019): one path drawn from softmax(logits), with straight-through gradient."""
    return [_straight_through(logits_LK.float(), tau, generator)[0]]


def single_uniform(logits_LK: Tensor, tau: float, generator: torch.Generator) -> list[Gates]:
    """SPOS (Guo et al. 2020): one path drawn uniformly, without gradient."""
    L, K = logits_LK.shape
    drawn_L = torch.randint(K, (L,), generator=generator)
    there_L = logits_LK.isfinite().sum(1).cpu()
    if (there_L < K).any():
        drawn_L = (torch.rand(L, generator=generator) * there_L).long()
    return [Gates.one_hot(drawn_L.tolist(), K, device=logits_LK.device)]


def all_paths(logits_LK: Tensor, tau: float, generator: torch.Generator) -> list[Gates]:
    """DARTS (Liu et al. 2019): all operators at once, weighted by softmax(logits). It needs K times the memory of a
    path."""
    return [Gates(logits_LK.float().softmax(dim=1), None)]


def _most(logits_LK: Tensor) -> int:
    """How many operators the layer of the most operators has."""
    return int(logits_LK.isfinite().sum(1).max())


def _straight_through(logits_LK: Tensor, tau: float, generator: torch.Generator) -> tuple[Gates, Tensor]:
    """A path drawn by the Gumbel trick, and its one-hot code (L, K) as a mask.

    s = softmax((log p + g) / tau), b = onehot(argmax s), y = b - sg(s) + s, where y are the gates and sg stops the
    gradient. The logits stand in for log p: they differ by a constant in each layer, which softmax and its gradient
    cancel.
    """
    gumbel = -torch.empty(logits_LK.shape).exponential_(generator=generator).log()
    s = ((logits_LK + gumbel.to(logits_LK.device)) / tau).softmax(dim=1)
    winner = s.detach().argmax(dim=1)
    b = one_hot(winner, logits_LK.shape[1])
    return Gates(b - s.detach() + s, tuple(winner.tolist())), b.bool()
