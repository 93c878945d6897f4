"""How good is a path of a trained supernet? Its BN statistics are estimated anew, then its accuracy on held-out images
is taken, the same images for every candidate (SPOS, arXiv 1904.00420, section 3.4; docs/methods/hurricane.md, 4).

The statistics and activations of a layer depend only on the operators up to that layer. So candidates are judged in
lexicographic order of their paths, and the activations that two neighbours have in common are computed once.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from surgenas.nn.elastic.supernet import ElasticSupernet, resized
from surgenas.nn.statistics import TOGETHER, estimate_statistics
from surgenas.nn.supernet import ChoiceSupernet
from surgenas.tasks.classification import share_right

HELD = 2**30
"""Bytes of activations kept for the next candidate. When they take more, those after the fewest layers are dropped
first: they are the largest, and the fastest to compute again."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Images that candidates are judged by. The supernet is trained on none of `images`; everything is normalised.

    calibration: (N, C, H, W) images that the BN statistics are estimated from. images, labels: (M, C, H, W) and (M,),
    on which accuracy is taken. balanced: whether accuracy is the mean of the classes'.
    """

    calibration: Tensor
    images: Tensor
    labels: Tensor
    balanced: bool = False

    def to(self, device: torch.device) -> HeldOut:
        """Move all tensors to a torch device."""
        calibration, images, labels = (t.to(device) for t in (self.calibration, self.images, self.labels))
        return HeldOut(calibration, images, labels, self.balanced)

    def at(self, side: int) -> HeldOut:
        """The same images, side x side pixels large."""
        return replace(self, calibration=resized(self.calibration, side), images=resized(self.images, side))


def accuracies(
    supernet: ChoiceSupernet | ElasticSupernet,
    paths: Sequence[Sequence[int]],
    held_out: HeldOut,
    held_bytes: int = HELD,
) -> list[float]:
    """The held-out accuracy (0 to 1) of each path, in the order of `paths`. The supernet is left unchanged.

    paths: for each candidate the position of the operator in every layer. held_bytes: as HELD.
    """
    judge: Callable[[tuple[int, ...]], float]
    if isinstance(supernet, ElasticSupernet):
        judge = partial(_accuracy_alone, supernet, held_out)
    else:
        judge = Judge(supernet, held_out, held_bytes).accuracy
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # an operator may draw random numbers
        found = {path: judge(path) for path in sorted({tuple(path) for path in paths})}
    return [found[tuple(path)] for path in paths]


def _accuracy_alone(supernet: ElasticSupernet, held_out: HeldOut, path: tuple[int, ...]) -> float:
    return accuracy_alone(supernet.alone(path), held_out.at(supernet.form_of(path)[1]))


@torch.inference_mode()
def accuracy_alone(network: nn.Module, held_out: HeldOut) -> float:
    """The held-out accuracy (0 to 1) of a network by itself, whose BN statistics are estimated anew."""
    estimate_statistics(network, held_out.calibration)
    said = torch.cat([network(part).argmax(1) for part in held_out.images.split(TOGETHER)])
    return share_right(said, held_out.labels, balanced=held_out.balanced)


Pair = tuple[Tensor, Tensor]
"""Activations of one layer: of the calibration images, and of the held-out images."""


class Judge:
    """Judges paths one after the other, reusing the activations of the prefix that a path shares with the one before.

    trail: activations of the last path, by the prefix of operators that leads to them. The supernet is copied.
    held_bytes: as HELD.
    """

    def __init__(self, supernet: ChoiceSupernet, held_out: HeldOut, held_bytes: int = HELD) -> None:
        self.held_bytes = held_bytes
        self.supernet = copy.deepcopy(supernet).requires_grad_(False)
        for module in self.supernet.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0  # statistics of the last batch alone, which holds all images
        self.labels, self.balanced = held_out.labels, held_out.balanced
        with torch.inference_mode():
            first = _through(self.supernet.stem, (held_out.calibration, held_out.images))
        self.trail: dict[tuple[int, ...], Pair] = {(): first}

    @torch.inference_mode()
    def accuracy(self, path: tuple[int, ...]) -> float:
        """The held-out accuracy (0 to 1) of one path. Paths that come in lexicographic order share the most work."""
        self.trail = {known: pair for known, pair in self.trail.items() if known == path[: len(known)]}
        start = max(map(len, self.trail))
        here = self.trail[path[:start]]
        for layer in range(start, len(path)):
            operators: Any = self.supernet.layers[layer].ops
            here = _through(operators[path[layer]], here)
            self.trail[path[: layer + 1]] = here
        while sum(map(_bytes, self.trail.values())) > self.held_bytes and len(self.trail) > 1:
            del self.trail[min(filter(None, self.trail), key=len)]
        _, logits = _through(self.supernet.head, here)
        return share_right(logits.argmax(1), self.labels, balanced=self.balanced)


def _bytes(pair: Pair) -> int:
    return sum(tensor.nbytes for tensor in pair)


def _through(module: nn.Module, pair: Pair) -> Pair:
    """Run both parts of the pair through a module. The calibration images set the BN statistics, which then normalise
    the held-out images; dropout is off for both."""
    calibration, images = pair
    module.train()
    for part in module.modules():
        if isinstance(part, nn.Dropout):
            part.eval()
    calibration = module(calibration)
    return calibration, module.eval()(images)
