"""A small elastic space, and what a search on it is told: latencies that are a fixed function of the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from surgenas.core import moves
from surgenas.core.architecture import Architecture, Setting
from surgenas.core.cost import Estimate, Failure
from surgenas.core.errors import SurgenasError
from surgenas.core.space import CostTable, Floats
from surgenas.core.work import Epochs, Price
from surgenas.methods.base import Problem
from surgenas.methods.candidates import HeldOut
from surgenas.nn.elastic import Structure, trace
from surgenas.predictors.base import Predictor
from surgenas.spaces.elastic import Elastic
from surgenas.spaces.elastic_costs import count_costs
from surgenas.spaces.elastic_space import Decision


class Chain(nn.Sequential):
    """The network of the test of NetAdapt's authors: four convolutions 3 x 3, 3-16-32-64-10, no biases."""

    def __init__(self) -> None:
        first, *others = (nn.Conv2d(i, o, 3, padding=1, bias=False) for i, o in pairwise((3, 16, 32, 64, 10)))
        behind = [layer for conv in others for layer in (nn.ReLU(), conv)]
        super().__init__(first, *behind, nn.AdaptiveAvgPool2d(1), nn.Flatten())


class Adds(nn.Module):
    """A block that can be off, with a depthwise kernel that can shrink."""

    def __init__(self, size: int, inside: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(size, inside, 1, bias=False), nn.BatchNorm2d(inside), nn.ReLU(),
            nn.Conv2d(inside, inside, 5, padding=2, groups=inside, bias=False), nn.BatchNorm2d(inside), nn.ReLU(),
            nn.Conv2d(inside, size, 1, bias=False), nn.BatchNorm2d(size),
        )  # fmt: skip

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return torch.relu(x_NCHW + self.branch(x_NCHW))


class Residual(nn.Sequential):
    """Two blocks that add, between a stem and a linear layer."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), Adds(8, 16),
            nn.Conv2d(8, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), Adds(16, 24),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10),
        )  # fmt: skip


class Toy(Elastic):
    """All smaller versions of a network of this file, in multiples of `multiple` channels."""

    name = "toy"

    def __init__(self, kind: type[nn.Module] = Residual, *, multiple: int = 4, resolution: int = 16) -> None:
        super().__init__(network=kind.__name__, resolution=resolution, classes=10, widths=0)
        self.kind, self.multiple = kind, multiple

    @property
    def settings(self) -> dict[str, Setting]:
        return {**super().settings, "multiple": self.multiple}

    @property
    def structure(self) -> Structure:
        return _structure(self.kind, self.multiple)

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        found = [Decision("width", group.name, group.widths) for group in self.structure.groups]
        found += [Decision("block", path, (0, 1)) for path in self.structure.blocks]
        return (*found, *(Decision("kernel", path, (3, side)) for path, side in self.structure.kernels.items()))

    def whole(self) -> nn.Module:
        return self.kind()

    def costs(self) -> CostTable:
        return self._counted

    @cached_property
    def _counted(self) -> CostTable:
        return count_costs(self.whole(), self.structure, self.decisions, self.resolution)


@lru_cache
def _structure(kind: type[nn.Module], multiple: int) -> Structure:
    return trace(kind(), torch.zeros(1, 3, 16, 16), multiple)


class Exact(Predictor):
    """A predictor whose milliseconds are thousands of weights."""

    def learn(self, code_NLK: Floats, latency_ms_N: Floats) -> None:
        pass

    def predict_relaxed(self, gates_NLK: Tensor) -> Tensor:
        return self.costs.counts(gates_NLK)[:, :, 1].sum(1) / 1e3


def bright(count: int = 160) -> tuple[Tensor, Tensor]:
    """Noise of 16 x 16 pixels, (N, 3, 16, 16), and how bright it is, (N,) in 0 to 9."""
    images = torch.randn(count, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    return images, (images[:, 0].mean((1, 2)) * 40 + 5).long().clamp(0, 9)


IMAGES, LABELS = bright()
BATCHES = [(IMAGES[i : i + 32], LABELS[i : i + 32]) for i in (0, 32)]
HELD = HeldOut(IMAGES[:32], IMAGES[100:], LABELS[100:])


def problem_of(space: Toy, share: float, **given: Any) -> Problem:
    """A search for a network of this share of the largest one's weights."""
    limit_ms = share * thousands(space, space.largest())
    return Problem(
        space, limit_ms, 0, predictor=Exact(space.costs()), **{"steps_per_epoch": 2, "held_out": HELD, **given}
    )


class Player:
    """An engine of the same few batches in every epoch. measure: what it says that a network takes, in ms; None if it
    cannot be measured. asked: the networks that it was asked for."""

    def __init__(self, measure: Callable[[Architecture], float | None]) -> None:
        self.measure, self.asked = measure, list[Architecture]()

    def expect(self, works):
        pass

    def perform(self, work: Any) -> Any:
        if isinstance(work, Epochs):
            return list(BATCHES)
        assert isinstance(work, Price)
        self.asked += work.archs
        return [self.cost(arch, self.measure(arch)) for arch in work.archs]

    def cost(self, arch: Architecture, ms: float | None) -> Estimate | Failure:
        if ms is None:
            return Failure(arch.key, SurgenasError("it broke"))
        return Estimate(arch.key, "player", {"ms": ms}, "player", "1")


def weights_in(space: Toy, archs: Sequence[Architecture]) -> list[int]:
    """How many weights networks have."""
    return [sum(p.numel() for p in space.build(arch).parameters()) for arch in archs]


def thousands(space: Toy, arch: Architecture) -> float:
    """What `Exact` says of one network."""
    return float(Exact(space.costs()).predict(moves.encode(space, [arch]))[0])
