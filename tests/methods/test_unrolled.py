"""The second-order gradient: on a problem that can be differentiated by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.func import functional_call

from surgenas.methods.unrolled import unrolled_gradient


class Line(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.5, dtype=torch.float64))

    def forward(self, x, a):
        return self.w * a * x


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_it_is_the_gradient_through_one_step(momentum):
    """Loss (w a x - y)^2; train x = 1, y = 2; held x = 1, y = 1."""
    network, a = Line(), torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=momentum, weight_decay=0.01)

    def loss(batch, weights):
        x, y = batch
        return (functional_call(network, dict(weights), (x, a)) - y).square()

    one, two = torch.tensor(1.0, dtype=torch.float64), torch.tensor(2.0, dtype=torch.float64)
    moved = 0.0
    if momentum:
        loss((one, two), dict(network.named_parameters())).backward()
        optimizer.step()
        moved = float(optimizer.state[network.w]["momentum_buffer"])
        a.grad = None

    def after(value):
        """The held loss at the weights one step later, for logits `value`."""
        w = float(network.w.detach())
        step = 2 * (w * value - 2) * value + 0.01 * w + momentum * moved
        return ((w - 0.1 * step) * value - 1) ** 2

    found = unrolled_gradient(network, optimizer, loss, a, train=(one, two), held=(one, one), lr=0.1)
    assert float(found) == pytest.approx((after(1.5 + 1e-6) - after(1.5 - 1e-6)) / 2e-6, rel=1e-4)
