"""A distribution over networks whose parts are drawn independently of each other, each by a softmax of logits.

A part is a row of a network's code, or several rows that are decided together (docs/methods/fp_nas.md, 2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

Groups = tuple[tuple[int, ...], ...]
"""The rows of each part; every row belongs to one part."""


@dataclass(frozen=True)
class Parts:
    """Which rows of a code are decided together. sizes: how many operators each of the L rows has."""

    sizes: tuple[int, ...]
    groups: Groups

    @cached_property
    def options(self) -> tuple[int, ...]:
        """How many combinations each of the G parts has."""
        return tuple(math.prod(self.sizes[row] for row in group) for group in self.groups)

    def taken(self, paths_NL: Tensor) -> Tensor:
        """The number (N, G) of the combination that each part takes, the last of its rows changing first."""
        return torch.stack([self._number(paths_NL, group) for group in self.groups], 1)

    def _number(self, paths_NL: Tensor, group: Sequence[int]) -> Tensor:
        found = torch.zeros_like(paths_NL[:, 0])
        for row in group:
            found = found * self.sizes[row] + paths_NL[:, row]
        return found

    def paths(self, taken_NG: Tensor) -> Tensor:
        """The positions (N, L) of the operators of all rows: the inverse of `taken`."""
        columns: dict[int, Tensor] = {}
        for left, group in zip(taken_NG.unbind(1), self.groups, strict=True):
            for row in reversed(group):
                columns[row], left = left % self.sizes[row], left // self.sizes[row]
        return torch.stack([columns[row] for row in range(len(self.sizes))], 1)


@dataclass(frozen=True, eq=False)
class Distribution:
    """P(network) = product over parts of softmax(logits)[what the part takes].

    logits_GJ: J is the number of combinations of the largest part; -inf where a part has fewer.
    """

    parts: Parts
    logits_GJ: Tensor

    @classmethod
    def uniform(cls, parts: Parts) -> Distribution:
        """The distribution in which all networks are equally probable."""
        logits_GJ = torch.full((len(parts.groups), max(parts.options)), -math.inf)
        for part, count in enumerate(parts.options):
            logits_GJ[part, :count] = 0.0
        return cls(parts, logits_GJ)

    def probabilities(self) -> Tensor:
        """The probability of each combination of each part, (G, J)."""
        return self.logits_GJ.detach().softmax(1)

    def entropy(self) -> float:
        """In nats, the sum over parts."""
        return float(torch.special.entr(self.probabilities().double()).sum())

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """The positions (N, L) of the operators of so many networks, which may repeat."""
        return self.parts.paths(self.probabilities().multinomial(count, replacement=True, generator=generator).T)

    def log_probability(self, paths_NL: Tensor) -> Tensor:
        """Of N networks by their positions (N, L), (N,)."""
        log_p_GJ = self.logits_GJ.detach().log_softmax(1)
        return log_p_GJ.T.gather(0, self.parts.taken(paths_NL)).sum(1)

    def credit(self, paths_NL: Tensor, weights_N: Tensor) -> Tensor:
        """sum_n w_n (onehot(n) - p), (G, J): how the logits change where network n is to be more probable by w_n."""
        p_GJ = self.probabilities()
        found = torch.zeros_like(p_GJ)
        found.scatter_add_(1, self.parts.taken(paths_NL).T, weights_N.to(p_GJ).expand(len(p_GJ), -1))
        return found - weights_N.sum() * p_GJ

    def marginals(self) -> Tensor:
        """The probability (L, K) of each operator in each row; K is the number of operators of the largest row."""
        sizes, p_GJ = self.parts.sizes, self.probabilities()
        found = torch.zeros(len(sizes), max(sizes))
        for p_J, group, count in zip(p_GJ, self.parts.groups, self.parts.options, strict=True):
            shaped = p_J[:count].reshape([sizes[row] for row in group])
            for axis, row in enumerate(group):
                found[row, : sizes[row]] = shaped.movedim(axis, 0).reshape(sizes[row], -1).sum(1)
        return found

    def mode(self) -> tuple[int, ...]:
        """The positions (L,) of the operators of the most probable network."""
        return tuple(self.parts.paths(self.logits_GJ.detach().argmax(1)[None])[0].tolist())

    def joined(self, groups: Groups) -> Distribution:
        """The same distribution over larger parts: a combination's logit is the sum of its rows' logits.

        Raises ValueError if a part of this one is not a single row.
        """
        if any(len(group) > 1 for group in self.parts.groups):
            raise ValueError("parts of several rows cannot be joined")
        own = {group[0]: logits_J for group, logits_J in zip(self.parts.groups, self.logits_GJ.detach(), strict=True)}
        made = Distribution.uniform(Parts(self.parts.sizes, groups))
        for part, (group, count) in enumerate(zip(groups, made.parts.options, strict=True)):
            paths_JL = Parts(tuple(self.parts.sizes[row] for row in group), (tuple(range(len(group))),)).paths(
                torch.arange(count)[:, None]
            )
            made.logits_GJ[part, :count] = sum(own[row][paths_JL[:, i]] for i, row in enumerate(group))
        return made
