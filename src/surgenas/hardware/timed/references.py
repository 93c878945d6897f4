"""The fixed networks that every latency is measured against, in four sizes (measurement protocol, point 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from surgenas.core.errors import UsageError
from surgenas.nn.blocks import classifier, conv_bn_act, mbconv
from surgenas.nn.chain import ChainNetwork


@dataclass(frozen=True)
class Reference:
    """A chain of MBConv k3e6 blocks. stages: (channels, repeats, stride)."""

    name: str
    resolution: int
    stem: int
    stages: tuple[tuple[int, int, int], ...]

    @property
    def input_shape(self) -> tuple[int, int, int]:
        return (3, self.resolution, self.resolution)

    def build(self) -> nn.Module:
        """The same weights in every process."""
        layers, cin = [], self.stem
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            stem = conv_bn_act(3, self.stem, kernel=3, stride=2, affine=True)
            for channels, repeats, stride in self.stages:
                for r in range(repeats):
                    layers.append(
                        mbconv(cin, channels, kernel=3, expand=6, stride=stride if r == 0 else 1, affine=True)
                    )
                    cin = channels
            head = classifier(cin, 4 * cin, 0, 10, dropout=0.0, affine=True)
        return ChainNetwork(stem, layers, head)


_LIGHT = ((16, 3, 2), (24, 3, 2), (40, 3, 2))
_CHAIN = ((24, 3, 2), (40, 3, 2), (80, 3, 1), (128, 2, 2))

# about .06, .12, .5 and 2 ms on one core of a present server CPU: one of them is within 2 x of most candidates. The two
# small ones have few weights: what waits for its weights differs by up to 4 % from process to process (docs/log.md)
REFERENCES = (
    Reference("reference-xs/1", 40, 8, _LIGHT),
    Reference("reference-s/2", 64, 8, _LIGHT),
    Reference("reference-m/1", 72, 16, _CHAIN),
    Reference("reference-l/1", 160, 16, _CHAIN),
)


MEMORY = Reference("memory/1", 64, 16, ((24, 2, 2), (40, 3, 2), (96, 6, 2), (192, 8, 2)))
"""17 MB of weights in about half a millisecond: it feels what others do with the caches nearly as much as the most
sensitive network seen (EfficientNet-B0 at 64 px); `hardware.timed.memory` uses it."""

SPAN = 4.0
"""Networks whose latencies differ by more are not measured against the same reference: on a busy machine small networks
suffer more than large ones."""


def alike(latency_ms: Mapping[str, float]) -> list[list[str]]:
    """Names in groups, fastest first, as few as the span of a group allows: what is in one campaign compares best."""
    groups: list[list[str]] = []
    for name in sorted(latency_ms, key=lambda name: latency_ms[name]):
        if groups and latency_ms[name] <= SPAN * latency_ms[groups[-1][0]]:
            groups[-1].append(name)
        else:
            groups.append([name])
    return groups


def reference_named(name: str) -> Reference:
    """Raises UsageError for a name that is not shipped."""
    for reference in (*REFERENCES, MEMORY):
        if reference.name == name:
            return reference
    raise UsageError(f"unknown reference network {name!r}; one of {', '.join(r.name for r in REFERENCES)}")
