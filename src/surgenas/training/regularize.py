"""How are large networks of cells kept from learning images by heart? Paths that are dropped, and a second classifier.

As DARTS trains what it finds (Liu, Simonyan, Yang 2019, arXiv 1806.09055); cutout is in `augment`.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from timm.layers import DropPath
from torch import Tensor, nn

from surgenas.core.errors import UsageError

AUXILIARY = "auxiliary."
"""What the names of a second classifier's tensors begin with. It is trained along, and no part of what is kept."""


@runtime_checkable
class Assisted(Protocol):
    """A network that can have a second classifier, which reads an inner layer."""

    def add_auxiliary(self) -> None:
        """Add it. While the network is trained, it then returns the logits of both, the second one's behind."""


def regularize(network: nn.Module, *, drop_path: float, auxiliary: float) -> None:
    """Give a network what these settings ask for. Raises UsageError if it has no paths that can be dropped, or no place
    for a second classifier."""
    if drop_path and not any(isinstance(module, DropPath) for module in network.modules()):
        raise UsageError(
            "--drop-path: these networks have no paths that can be dropped; leave it out, or use --space darts"
        )
    if auxiliary:
        if not isinstance(network, Assisted):
            raise UsageError(
                "--auxiliary: these networks have no place for a second classifier; leave it out, or use --space darts"
            )
        network.add_auxiliary()


def set_drop_path(network: nn.Module, chance: float) -> None:
    """From now on, drop each path of each image with this chance."""
    for module in network.modules():
        if isinstance(module, DropPath):
            module.drop_prob = chance


def both_losses(criterion: nn.Module, said: Tensor | tuple[Tensor, Tensor], labels: Tensor, share: float) -> Tensor:
    """The loss of what a network said; that of a second classifier is added with this share."""
    if isinstance(said, Tensor):
        loss: Tensor = criterion(said, labels)
        return loss
    logits, second = said
    total: Tensor = criterion(logits, labels) + share * criterion(second, labels)
    return total


def kept(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a network without those of a second classifier."""
    return {name: tensor for name, tensor in state.items() if not name.startswith(AUXILIARY)}
