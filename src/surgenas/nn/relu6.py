"""ReLU6 that keeps nothing for its backward pass but what it computed, which the next layer keeps anyway.

torch 2.14 copies what its own, in place or not, was given; in place it also takes the time for that (docs/log.md).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

SIX = 6.0


class ReLU6(nn.ReLU6):
    """nn.ReLU6, to the bit; in training it changes its input in place, whatever `inplace` says."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training and torch.is_grad_enabled() and x.requires_grad and not x.is_leaf:
            return _ReLU6.apply(x)
        return super().forward(x)


class _ReLU6(torch.autograd.Function):
    """Where the result is 0 or 6 no gradient passes, as where the input was at most 0 or at least 6."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = x.clamp_(0.0, SIX)
        ctx.mark_dirty(y)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (y,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(grads[0], y, 0.0, SIX)
