"""What does rounding the weights of a layer cost? The curvature of the loss there, times the squared error.

The trace of the Hessian is estimated by Hutchinson's method (1990): the mean of v' H v over random signs v. As
sensitivity of quantized layers: Dong et al., "HAWQ-V2" (NeurIPS 2020); docs/methods/hao.md, 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from surgenas.nn.rounded import round_weights


def hessian_traces(
    loss: Callable[[], Tensor], weights: Mapping[str, Tensor], probes: int, seed: int
) -> dict[str, Tensor]:
    """For each tensor of weights one estimate a probe of the trace of its own block of the Hessian, (probes,).

    loss: computes it anew, a scalar. Every probe is one backward pass, and one through that. The mean over probes is
    the estimate; few of them may be below zero.
    """
    rng = torch.Generator().manual_seed(seed)
    tensors = list(weights.values())
    found: dict[str, list[float]] = {name: [] for name in weights}
    for _ in range(probes):
        signs = [torch.randint(2, w.shape, generator=rng).to(w) * 2 - 1 for w in tensors]
        with sdpa_kernel(SDPBackend.MATH):  # torch 2.14 has no second derivative of its fused attention
            slopes = torch.autograd.grad(loss(), tensors, create_graph=True)
        along = torch.stack([(slope * sign).sum() for slope, sign in zip(slopes, signs, strict=True)]).sum()
        curved = torch.autograd.grad(along, tensors)
        for name, sign, curve in zip(weights, signs, curved, strict=True):
            found[name].append(float((sign * curve).sum()))
    return {name: torch.tensor(values) for name, values in found.items()}


def rounding_error(weight: Tensor, bits: int) -> float:
    """The sum of squared differences between a layer's weights and themselves in so many bits: symmetric around zero,
    of a scale for each output channel (the first axis)."""
    fixed = weight.detach()
    return float((round_weights(fixed, bits) - fixed).square().sum())


def layer_weights(network: nn.Module) -> dict[str, Tensor]:
    """The weights of all convolutions and linear layers by the path of the layer."""
    return {name: m.weight for name, m in network.named_modules() if isinstance(m, (nn.Conv2d, nn.Linear))}
