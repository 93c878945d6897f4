"""What do searches share whose probabilities are a softmax of logits? The logits, two optimizers, and their state."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from surgenas.core.seeds import derive
from surgenas.methods.gradient import GradientSearch, Multiplier


class LogitSearch(GradientSearch):
    """A gradient search with a logit for each operator of each layer, which Adam learns beside the SGD of the weights.

    logits_LK: (L, K). there_LK: where a layer has an operator that may be weighed.
    """

    logits_LK: Tensor
    there_LK: Tensor
    weight_optimizer: torch.optim.Optimizer
    alpha_optimizer: torch.optim.Optimizer

    def begin_logits(self, there_LK: Tensor, multiplier: Multiplier, alpha_lr: float) -> None:
        """Fresh logits, 1e-3 N(0, 1), where `there_LK` is, and the optimizers. alpha_lr: of the logits."""
        c = self.config
        generator = torch.Generator().manual_seed(derive(self.seed, "logits"))
        self.there_LK, self.multiplier = there_LK, multiplier
        self.logits_LK = nn.Parameter((1e-3 * torch.randn(there_LK.shape, generator=generator)).to(there_LK.device))
        self.weight_optimizer = torch.optim.SGD(
            self.supernet.parameters(), self.first_lr, momentum=c.momentum, weight_decay=c.weight_decay
        )
        self.alpha_optimizer = torch.optim.Adam(
            [self.logits_LK], alpha_lr, betas=(0.5, 0.999), weight_decay=c.alpha_decay
        )
        self.criterion = nn.CrossEntropyLoss(label_smoothing=c.label_smoothing)

    def offered_logits(self) -> Tensor:
        """The logits (L, K), -inf where a layer has no such operator."""
        return self.logits_LK if self.there_LK.all() else self.logits_LK.masked_fill(~self.there_LK, -math.inf)

    def probabilities(self) -> Tensor:
        """softmax(logits), (L, K)."""
        return self.offered_logits().detach().softmax(dim=1)

    def entropy(self) -> float:
        """Of the probabilities, the mean over layers, in nats."""
        p_LK = self.probabilities()
        return float(-(p_LK * p_LK.clamp_min(1e-12).log()).sum(1).mean())

    def own_state(self) -> dict[str, Any]:
        return {
            "supernet": self.supernet.state_dict(),
            "logits": self.logits_LK.detach(),
            "weight_optimizer": self.weight_optimizer.state_dict(),
            "alpha_optimizer": self.alpha_optimizer.state_dict(),
            "multiplier": self.multiplier.value,
        }

    def load_own_state(self, state: dict[str, Any]) -> None:
        self.supernet.load_state_dict(state["supernet"])
        self.logits_LK.data.copy_(state["logits"])
        self.weight_optimizer.load_state_dict(state["weight_optimizer"])
        self.alpha_optimizer.load_state_dict(state["alpha_optimizer"])
        self.multiplier.value = float(state["multiplier"])


def travelling(lr: float, travel: float, steps: int, least: float) -> float:
    """The learning rate of logits that Adam moves by about `travel` in so many steps, at least `least`; `lr` itself
    unless that is 0."""
    return lr or max(least, travel / max(1, steps))
