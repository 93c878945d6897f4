"""What do layers cost whose sizes several choices decide? A convolution costs the product of its two widths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

FACTORS = ("outputs", "inputs", "kernel", "runs", "pixels")
"""Shares of a layer's largest size: of its output channels, of its input channels, of its kernel's area, whether it
runs at all, and of the pixels that it computes."""


@dataclass(frozen=True, eq=False)
class Products:
    """Costs of M layers as products of factors, each of which is a sum over choices.

    largest: (M, 4), MACs, weights, values read and values written of each layer in the largest network. Biases and
    norms hold little and are left out, so that all three costs are products.
    base: (M, F), and slope: (M, F, L, K): factor f of layer m is base + the sum of the slopes of the options taken; F
    as in FACTORS. by_channel: (M,), whether a layer reads only as many channels as it writes (depthwise, by group).
    """

    largest: npt.NDArray[np.float64]
    base: npt.NDArray[np.float64]
    slope: npt.NDArray[np.float64]
    by_channel: npt.NDArray[np.bool_]

    @property
    def most(self) -> npt.NDArray[np.float64]:
        """(3,): MACs, weights and bytes moved, each of the layer that has most of them in the largest network."""
        macs, weights, values_in, values_out = self.largest.T
        return np.stack([macs, weights, 4 * (values_in + values_out + weights)]).max(1)

    def macs_of(self, code_NLK: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The MACs (N,) of all layers together, by codes (N, L, K)."""
        counts = self.counts(torch.from_numpy(np.asarray(code_NLK)).double())
        return np.asarray(counts[:, :, 0].sum(1).numpy())

    def counts(self, gates_NLK: Tensor) -> Tensor:
        """(N, M, 3): MACs, weights and bytes moved in fp32 of every layer, for gates (N, L, K).

        Gates that are no code, but probabilities, give the costs at the mean sizes.
        """
        M, F = self.base.shape
        slope, base, largest = (
            torch.as_tensor(values).to(gates_NLK) for values in (self.slope.reshape(M * F, -1), self.base, self.largest)
        )
        shares = base + (gates_NLK.flatten(1) @ slope.T).unflatten(1, (M, F))
        outputs, inputs, kernel, runs, pixels = shares.unbind(2)
        read = torch.where(torch.as_tensor(self.by_channel, device=gates_NLK.device), outputs, inputs)
        weights = outputs * inputs * kernel * runs
        macs, held, values_in, values_out = largest.unbind(1)
        held = held * weights
        moved = 4 * (runs * pixels * (values_in * read + values_out * outputs) + held)
        return torch.stack([macs * weights * pixels, held, moved], 2)
