"""In which scale do latencies count alike? In milliseconds, or from some latency c on in shares of themselves.

    y = (c log(1 + ms / c) - middle) / size

is a line where ms is far below c and a logarithm far above it; with an infinite c it is a line everywhere. Predictions
are above 0 in any scale: a floor takes over far below the least latency that was measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from surgenas.core.space import Floats

SHARES = (math.inf, 0.3, 0.01)
"""The c that are tried, relative to the median latency."""
FLOOR = 0.01
"""The floor, relative to the least latency above 0 that was measured."""


@dataclass(frozen=True)
class Scale:
    """The scale above. c, middle and size as in the formula; floor: in ms."""

    c: float
    middle: float
    size: float
    floor: float

    @classmethod
    def at(cls, share: float, latency_ms_N: Floats) -> Scale:
        """The scale in which these latencies have a median of 0 and a variance of 1. share: c over their median."""
        shown = latency_ms_N[latency_ms_N > 0] if latency_ms_N.any() else np.ones(1)
        c = math.inf if math.isinf(share) else share * float(np.median(shown))
        z = latency_ms_N if math.isinf(c) else c * np.log1p(latency_ms_N / c)
        return cls(c, float(np.median(z)), max(float(z.std()), 1e-9), FLOOR * float(shown.min()))

    def of(self, ms: Tensor) -> Tensor:
        """y of latencies in ms."""
        return ((ms if math.isinf(self.c) else self.c * torch.log1p(ms / self.c)) - self.middle) / self.size

    def ms(self, y: Tensor) -> Tensor:
        """The latencies in ms that y stands for: the median where y is uncertain."""
        z = y * self.size + self.middle
        ms = z if math.isinf(self.c) else self.c * torch.expm1(z / self.c)
        return _above(self.floor, ms)

    def deviation_ms(self, y: Tensor, deviation: Tensor) -> Tensor:
        """The standard deviation in ms where y is normal, with these means and deviations."""
        if math.isinf(self.c):
            return deviation * self.size
        spread = (deviation * self.size / self.c).square()
        return self.c * torch.exp((y * self.size + self.middle) / self.c + spread / 2) * torch.expm1(spread).sqrt()


def _above(floor: float, ms: Tensor) -> Tensor:
    """A hyperbola, (ms + (ms^2 + 4 floor^2)^.5) / 2: nearly ms far above the floor, above 0 everywhere.

    Where ms is negative it is written so that nothing is lost in a difference.
    """
    root = (ms.square() + 4 * floor**2).sqrt()
    return torch.where(ms > 0, (ms + root) / 2, 2 * floor**2 / (root - ms.clamp(max=0)))
