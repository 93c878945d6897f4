"""Cells whose layers read the layer before them and, through links, single channels of the layers before that one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from surgenas.core.seeds import generator

Channels = npt.NDArray[np.int64]


def draw_links(seed: int, cell: int, layer: int, possible: int, most: int) -> Channels:
    """The channels that a layer reads through its links: at most `most` of the `possible` ones, rising.

    They follow from the numbers alone, so that two builds are one network; with fewer links those that stay are among
    the others. possible: how many channels the layers before the previous one have together, the oldest first.
    """
    order = generator(seed, "links", cell, layer).permutation(possible)
    return np.sort(order[:most])


class ConcatCell(nn.Module):
    """Layers that each read the output of the one before, and linked channels of the earlier ones beside it.

    (N, cin, H, W) -> (N, width, H/stride, W/stride). The first layer reads the cell's input, which has no links. links:
    for each layer the channels that it reads of all layers before the previous one, concatenated, the oldest first.
    """

    def __init__(self, layers: Sequence[nn.Module], links: Sequence[Channels]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.linked = [len(channels) > 0 for channels in links]
        for i, channels in enumerate(links):
            if self.linked[i]:
                self.register_buffer(f"links{i}", torch.tensor(channels.tolist()))  # with the weights, as part of them

    def forward(self, x_NCHW: Tensor) -> Tensor:
        outputs: list[Tensor] = []
        for i, layer in enumerate(self.layers):
            read = self._read(i, outputs) if outputs else x_NCHW
            outputs.append(layer(read))
        return outputs[-1]

    def _read(self, i: int, outputs: list[Tensor]) -> Tensor:
        """What layer i reads, from the outputs of all layers before it."""
        *earlier, last = outputs
        if not self.linked[i]:
            return last
        return torch.cat([last, torch.cat(earlier, 1).index_select(1, self.get_buffer(f"links{i}"))], 1)
