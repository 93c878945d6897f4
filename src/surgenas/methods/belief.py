"""How does a distribution over networks learn from what a few networks that it drew achieve?

Empirical Bayes (PARSEC, Casale, Gordon and Fusi, arXiv 1902.05116), with the number of draws, the two phases and the
cost term of FP-NAS (Yan et al., arXiv 2011.10949); docs/methods/fp_nas.md. No gradient passes a network: the logits
learn from losses alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from surgenas.methods.distribution import Distribution, Groups, Parts
from surgenas.methods.gradient import Multiplier


def responsibilities(losses_N: Tensor, temperature: float) -> Tensor:
    """How much each of N networks drawn explains the labels, (N,), in sum 1: its likelihood among them.

    losses_N: mean cross-entropies of one batch.
    """
    return ((losses_N.min() - losses_N) / temperature).softmax(0)  # so that no temperature is too low


def excess(relative_N: Tensor) -> Tensor:
    """Each network's share of what exceeds the limit, (N,), in sum 1; all 0 where none does.

    relative_N: latencies over the limit.
    """
    over_N = (relative_N - 1).clamp(min=0)
    total = over_N.sum()
    return over_N / total if total > 0 else over_N


@dataclass(frozen=True)
class Draws:
    """How many networks a step draws. fixed: always so many; 0 for `per_nat` for each nat of entropy, at least
    `least`."""

    fixed: int
    per_nat: float
    least: int

    def count(self, entropy: float) -> int:
        """For a distribution of that entropy in nats."""
        return self.fixed or max(self.least, round(self.per_nat * entropy))


class Belief:
    """A distribution that learns, and the optimizer of its logits.

    fine: the parts that it ends with; it begins with one part a row if `coarse`. multiplier: learns the weight of the
    latency; None for the published cost term, of weight `latency_weight`. temperature: of the responsibilities.
    baseline: a network counts by how much it differs from the mean of those drawn with it.
    """

    def __init__(
        self, sizes: tuple[int, ...], fine: Groups, *, coarse: bool, lr: float, temperature: float,
        multiplier: Multiplier | None, latency_weight: float, baseline: bool,
    ) -> None:  # fmt: skip
        self.fine, self.lr, self.temperature = fine, lr, temperature
        self.multiplier, self.latency_weight, self.baseline = multiplier, latency_weight, baseline
        rows: Groups = tuple((row,) for row in range(len(sizes)))
        self._take(Distribution.uniform(Parts(sizes, rows if coarse else fine)))

    def _take(self, distribution: Distribution) -> None:
        self.logits_GJ = nn.Parameter(distribution.logits_GJ.clone())
        self.distribution = Distribution(distribution.parts, self.logits_GJ)
        self.optimizer = torch.optim.Adam([self.logits_GJ], self.lr, betas=(0.5, 0.999))

    def refine(self) -> None:
        """From here on the fine parts are decided, each as a whole; the distribution stays the same."""
        if self.distribution.parts.groups != self.fine:
            self._take(self.distribution.joined(self.fine))

    def learn(self, paths_NL: Tensor, losses_N: Tensor, relative_N: Tensor) -> None:
        """One step of the logits, from N codes as they were drawn, some of them alike: the loss of each one's network
        on images that no weights are trained on, and its predicted latency over the limit."""
        weights_N = -responsibilities(losses_N, self.temperature)
        mean = float(relative_N.mean())
        if self.multiplier is None:
            weights_N = weights_N + self.latency_weight * excess(relative_N)
        else:
            weights_N = weights_N + self.multiplier.weight(mean) * relative_N / len(relative_N)
            self.multiplier.learn(mean)
        if self.baseline:  # in the mean over draws this changes nothing, in each of them it is most of the noise
            weights_N = weights_N - weights_N.mean()
        self.logits_GJ.grad = self.distribution.credit(paths_NL, weights_N)
        self.optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        """All that it needs to go on."""
        return {
            "groups": self.distribution.parts.groups, "logits": self.logits_GJ.detach(),
            "optimizer": self.optimizer.state_dict(), "multiplier": self.multiplier.value if self.multiplier else 0.0,
        }  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict` returned."""
        groups = tuple(tuple(group) for group in state["groups"])
        self._take(Distribution(Parts(self.distribution.parts.sizes, groups), state["logits"]))
        self.optimizer.load_state_dict(state["optimizer"])
        if self.multiplier:
            self.multiplier.value = float(state["multiplier"])
