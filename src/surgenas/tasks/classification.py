"""How good is a classifier? Its logits on a part of a data set, and the share of images whose label it says."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from surgenas.tasks.by_class import balanced_accuracy
from surgenas.tasks.data import Dataset, Part, eval_batches

TOGETHER = 32
"""How many images a network is given at once: on a CPU more take longer and much more memory (docs/log.md, pages of
memory)."""


def predict(network: nn.Module, dataset: Dataset, part: Part, batch: int = TOGETHER) -> Tensor:
    """(N, classes) logits of every image of a part, in eval mode, on the network's device."""
    network.eval()
    device = next(network.parameters()).device
    with torch.inference_mode():
        return torch.cat([network(images.to(device)).cpu() for images, _ in eval_batches(dataset, part, batch)])


def accuracy(network: nn.Module, dataset: Dataset, part: Part) -> float:
    """Share of a part's images whose largest logit is the label's."""
    return share_right(predict(network, dataset, part).argmax(1), part.labels)


def score(network: nn.Module, dataset: Dataset, part: Part) -> float:
    """What candidates are compared by: accuracy, or balanced accuracy where every class is to count alike."""
    said = predict(network, dataset, part).argmax(1)
    return share_right(said, part.labels, balanced=dataset.balanced)


def share_right(said: Tensor, labels: Tensor, *, balanced: bool = False) -> float:
    """Share of the labels (N,) that were said. balanced: the mean of the classes' shares instead."""
    return balanced_accuracy(said, labels) if balanced else float((said == labels).float().mean())
