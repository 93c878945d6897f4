"""How would the logits be better for the weights one training step later? The second-order gradient of DARTS.

Liu, Simonyan, Yang: "DARTS: Differentiable Architecture Search", ICLR 2019, arXiv 1806.09055, equations 7 and 8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from surgenas.nn.ranks import ALONE, Ranks

Batch = tuple[Tensor, Tensor]
"""Images (N, C, H, W) and their labels (N,)."""
Loss = Callable[[Batch, Mapping[str, Tensor]], Tensor]
"""The loss on a batch with these weights by name; it depends on the logits too."""
NEAR = 0.01
"""How far apart the two points are whose gradients stand for a second derivative, over the norm of their direction."""


def unrolled_gradient(
    network: nn.Module, optimizer: torch.optim.Optimizer, loss: Loss, logits: Tensor, *, train: Batch, held: Batch,
    lr: float, ranks: tuple[Ranks, Ranks] = (ALONE, ALONE),
) -> Tensor:  # fmt: skip
    """The gradient for the logits of the loss on `held`, at the weights w' = w - lr dL(train)/dw that one step of the
    optimizer would make.

    w' depends on the logits as well: d2L/dlogits dw is taken from the gradients on `train` at w +- NEAR d/|d|, where d
    is the gradient at w'. optimizer: SGD of the network's weights, whose momentum and weight decay are in that step.
    ranks: what this process has of `train` and of `held`.
    """
    of_train, of_held = ranks
    weights = dict(network.named_parameters())
    grads = of_train.gradients(loss(train, weights), list(weights.values()), allow_unused=True)
    group, later = optimizer.param_groups[0], {}
    for (name, w), g in zip(weights.items(), grads, strict=True):
        step = group["weight_decay"] * w.detach() + (0 if g is None else g)
        moved = optimizer.state[w].get("momentum_buffer")
        step = step if moved is None else step + group["momentum"] * moved
        later[name] = (w.detach() - lr * step).requires_grad_()
    (direct, *found) = of_held.gradients(loss(held, later), [logits, *later.values()], allow_unused=True)
    direction = [torch.zeros_like(w) if g is None else g for w, g in zip(weights.values(), found, strict=True)]
    eps = NEAR / max(float(torch.stack([d.norm() for d in direction]).norm()), 1e-12)
    ahead, behind = (
        of_train.gradients(
            loss(train, {n: w.detach() + side * d for (n, w), d in zip(weights.items(), direction, strict=True)}),
            [logits],
        )[0]
        for side in (eps, -eps)
    )
    return direct - lr * (ahead - behind) / (2 * eps)
