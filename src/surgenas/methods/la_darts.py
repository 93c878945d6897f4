"""LA-DARTS: DARTS whose loss counts what the networks that the logits stand for would take on the device.

After the abstract of Xu, Xie, Zhang, Chen, Shi, Tian, Xiong: "Latency-Aware Differentiable Neural Architecture Search",
arXiv 2001.06392, which has no public code. Whole networks are drawn from the logits by the rule that decodes them, and
a predictor learned from measurements says their latency (docs/methods/darts.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from surgenas.core import moves
from surgenas.core.bounds import Count, NotNegative, Positive
from surgenas.core.capabilities import ThinsOut
from surgenas.core.errors import UsageError
from surgenas.core.seeds import derive
from surgenas.core.space import Space
from surgenas.methods.base import Needs, Problem
from surgenas.methods.darts import DARTS, DARTSSearch
from surgenas.methods.gradient import Multiplier


@dataclass(frozen=True, kw_only=True)
class LADARTS(DARTS):
    """Settings of one search, beside those of `darts`. The paper's values are not known; these are ours.

    loss: "multiplier" learns lambda by gradient ascent, of either sign, so that the latency is drawn to the limit from
    both sides; "fixed" adds lambda LAT/T as the paper does, lambda being `latency_weight`.
    latency_weight: lambda where it is not learned.
    multiplier_lr: learning rate of lambda.
    damping: weight of the present violation of the limit, which is added to lambda.
    draws: networks whose mean latency is LAT, drawn anew in each step.
    tau: temperature of the draws.
    estimator: how the gradient passes a draw, "straight-through" or "score", which weighs the log-probability of a
    network by its latency; that is known where all edges of a cell stay.
    """

    name: ClassVar[str] = "la-darts"

    loss: Literal["multiplier", "fixed"] = "multiplier"
    latency_weight: NotNegative = 1.0
    multiplier_lr: NotNegative = 0.05
    damping: NotNegative = 4.0
    draws: Count = 4
    tau: Positive = 1.0
    estimator: Literal["straight-through", "score"] = "straight-through"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fixed:
            raise UsageError("fixed=true: logits that stay equal hear of no latency; use darts or darts-pt")
        if self.estimator == "score" and self.draws < 2:
            raise UsageError("estimator=score compares draws: ask for draws=2 or more")

    def needs(self, space: Space) -> Needs:
        if self.estimator == "score" and isinstance(space, ThinsOut):
            raise UsageError(
                f"estimator=score knows the probability of operators, not of which edges a node of {space.name} reads; "
                "use straight-through"
            )
        needs = super().needs(space)
        return Needs(**{**vars(needs), "cost": "relaxed" if self.estimator == "straight-through" else "any"})

    def begin(self, problem: Problem) -> LADARTSSearch:
        return LADARTSSearch(self, problem)


class LADARTSSearch(DARTSSearch):
    """DARTS with lambda LAT/T in the loss of the logits; T is the limit."""

    config: LADARTS

    def start(self) -> None:
        super().start()
        self.multiplier = Multiplier(self.config.multiplier_lr, self.config.damping)

    def latency_term(self, index: int) -> tuple[Tensor | None, float]:
        c = self.config
        if c.loss == "fixed" and not c.latency_weight:
            return super().latency_term(index)
        latency_ms = self.expected_ms(index)
        relative = latency_ms / self.limit_ms
        loss = self.multiplier.loss(relative) if c.loss == "multiplier" else c.latency_weight * relative
        (gradient,) = torch.autograd.grad(loss, self.logits_LK)
        value = float(latency_ms.detach())
        if c.loss == "multiplier":
            self.multiplier.learn(value / self.limit_ms)
        return gradient, value

    def expected_ms(self, index: int) -> Tensor:
        """The mean predicted latency in ms of networks drawn from the logits; a gradient passes to these."""
        c = self.config
        generator = torch.Generator().manual_seed(derive(self.seed, "latency", index))
        logits_LK = self.offered_logits().cpu()
        gumbel = -torch.empty(c.draws, *logits_LK.shape).exponential_(generator=generator).log()
        s_MLK = ((logits_LK + gumbel) / c.tau).softmax(dim=2)
        code_MLK = torch.from_numpy(moves.nearest_codes(self.space, s_MLK.detach().double().numpy())).float()
        if c.estimator == "straight-through":
            return self.predicted_ms(code_MLK - s_MLK.detach() + s_MLK).mean()
        ms_M = torch.from_numpy(self.predictor.predict(code_MLK.double().numpy())).float()
        log_p_LK = logits_LK.log_softmax(1)
        log_p_M = (code_MLK * log_p_LK.masked_fill(log_p_LK.isneginf(), 0.0)).sum((1, 2))
        credit = (ms_M - ms_M.mean()) * (log_p_M - log_p_M.detach())
        return ms_M.mean() + credit.sum() / max(1, c.draws - 1)
