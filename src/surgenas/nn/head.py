"""The last layer of a network: found wherever it is, and replaced by one for other classes."""

from __future__ import annotations

from torch import nn

from surgenas.core.errors import UsageError


def replace_classifier(network: nn.Module, classes: int) -> None:
    """Put a fresh layer for so many classes in the place of the last linear one; 0 puts nothing there.

    Raises UsageError if the network has no linear layer.
    """
    names = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not names:
        raise UsageError("this network does not end in a linear layer, so that its classes cannot be others")
    last = network.get_submodule(names[-1])
    assert isinstance(last, nn.Linear)
    fresh = nn.Linear(last.in_features, classes) if classes else nn.Identity()
    network.set_submodule(names[-1], fresh)
