"""How good would a path of a trained supernet be? BN statistics estimated anew for it, then held-out accuracy (SPOS,
arXiv 1904.00420, section 3.4; docs/methods/hurricane.md, 4), on the same images for every candidate.

Statistics and activations of a layer depend on the operators before it alone. So candidates are judged in the order of
a dictionary, and what two neighbours have in common is computed once.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from surgenas.nn.supernet import ChoiceSupernet

HELD = 2**30
"""Bytes of activations kept for the next candidate. Beyond, the first layers' go: they are large and soon computed."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """calibration: (N, C, H, W) images that statistics are estimated from. images, labels: what is judged by; none of
    them the supernet is trained on. All normalised."""

    calibration: Tensor
    images: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> HeldOut:
        return HeldOut(*(t.to(device) for t in (self.calibration, self.images, self.labels)))


def accuracies(supernet: ChoiceSupernet, paths: Sequence[Sequence[int]], held_out: HeldOut) -> list[float]:
    """Of every path, in the order asked; the supernet stays as it is."""
    judge = Judge(supernet, held_out)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # an operator may draw
        found = {path: judge.accuracy(path) for path in sorted({tuple(path) for path in paths})}
    return [found[tuple(path)] for path in paths]


Pair = tuple[Tensor, Tensor]
"""The same layer's activations of calibration and of held-out images."""


class Judge:
    """One walk through the tree of paths. trail: activations after the first operators of the last one."""

    def __init__(self, supernet: ChoiceSupernet, held_out: HeldOut) -> None:
        self.supernet = copy.deepcopy(supernet).requires_grad_(False)
        for module in self.supernet.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0  # statistics of the last batch alone, which holds all images
        self.labels = held_out.labels
        with torch.inference_mode():
            first = _through(self.supernet.stem, (held_out.calibration, held_out.images))
        self.trail: dict[tuple[int, ...], Pair] = {(): first}

    @torch.inference_mode()
    def accuracy(self, path: tuple[int, ...]) -> float:
        self.trail = {known: pair for known, pair in self.trail.items() if known == path[: len(known)]}
        start = max(map(len, self.trail))
        here = self.trail[path[:start]]
        for layer in range(start, len(path)):
            operators: Any = self.supernet.layers[layer].ops
            here = _through(operators[path[layer]], here)
            self.trail[path[: layer + 1]] = here
        while sum(map(_bytes, self.trail.values())) > HELD and len(self.trail) > 1:
            del self.trail[min(filter(None, self.trail), key=len)]
        _, logits = _through(self.supernet.head, here)
        return float((logits.argmax(1) == self.labels).float().mean())


def _bytes(pair: Pair) -> int:
    return sum(tensor.nbytes for tensor in pair)


def _through(module: nn.Module, pair: Pair) -> Pair:
    """Calibration images set the statistics that held-out images are normalised by."""
    calibration, images = pair
    module.train()
    for part in module.modules():
        if isinstance(part, nn.Dropout):
            part.eval()
    calibration = module(calibration)
    return calibration, module.eval()(images)
