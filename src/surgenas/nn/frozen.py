"""Gradients of what weighs a network's parts, without those of the parts: autograd keeps less then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Inside the block the network's parameters want no gradient, so that a pass holds no inputs for theirs."""
    wanting = [parameter for parameter in network.parameters() if parameter.requires_grad]
    for parameter in wanting:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in wanting:
            parameter.requires_grad_(True)
