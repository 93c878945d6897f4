"""How much memory does a training step hold?"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def held_bytes(forward: Callable[[], object], network: nn.Module | None = None) -> int:
    """Bytes that autograd keeps for the backward pass, each storage counted once and those of the network left out."""
    own = {t.untyped_storage().data_ptr() for t in (*network.parameters(), *network.buffers())} if network else set()
    seen: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor.detach()  # a kept output with its graph would never be freed

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        alive = forward()
    del alive
    return sum(seen.values())
