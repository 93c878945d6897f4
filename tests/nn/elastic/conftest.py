"""Tiny networks, one for each thing that networks do with channels, with weights that all differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from timm.layers import StdConv2d
from torch import Tensor, nn

from surgenas.nn.elastic import Shape, Structure, checked, trace
from surgenas.nn.elastic.call import call_of
from surgenas.nn.elastic.labels import Labels
from surgenas.nn.elastic.rules import follow


def conv(cin: int, cout: int, kernel: int = 3, **settings: Any) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(cin, cout, kernel, padding=kernel // 2, bias=False, **settings), nn.BatchNorm2d(cout)
    )


def head(size: int) -> nn.Sequential:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(size, 3))


class Adds(nn.Module):
    def __init__(self, *branch: nn.Module) -> None:
        super().__init__()
        self.branch = nn.Sequential(*branch)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.branch(x))


class Both(nn.Module):
    def __init__(self, one: nn.Module, other: nn.Module) -> None:
        super().__init__()
        self.one, self.other = one, other

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.one(x), self.other(x)], 1)


class Excites(nn.Module):
    def __init__(self, size: int, few: int) -> None:
        super().__init__()
        self.reduce, self.expand = nn.Conv2d(size, few, 1), nn.Conv2d(few, size, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.expand(F.relu(self.reduce(x.mean((2, 3), keepdim=True)))))


class Shuffles(nn.Module):
    """As in ShuffleNet V2: half of the channels pass, the others are convolved, then both are interleaved."""

    def __init__(self, half: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(conv(half, half, 1), nn.ReLU(), conv(half, half))

    def forward(self, x: Tensor) -> Tensor:
        one, other = x.chunk(2, 1)
        x = torch.cat([one, self.branch(other)], 1)
        N, C, H, W = x.shape
        return x.view(N, 2, C // 2, H, W).transpose(1, 2).contiguous().view(N, C, H, W)


class Attention(nn.Module):
    def __init__(self, size: int, num_heads: int, plain: bool) -> None:
        super().__init__()
        self.num_heads, self.head_dim, self.plain = num_heads, size // num_heads, plain
        self.norm, self.qkv, self.proj = nn.LayerNorm(size), nn.Linear(size, 3 * size), nn.Linear(size, size)

    def forward(self, x: Tensor) -> Tensor:
        B, N, _ = x.shape
        q, k, v = (
            self.qkv(self.norm(x)).reshape(B, N, 3, self.num_heads, self.head_dim).permute(2, 0, 3, 1, 4).unbind(0)
        )
        out = (q @ k.transpose(-2, -1)).softmax(-1) @ v if self.plain else F.scaled_dot_product_attention(q, k, v)
        return x + self.proj(out.transpose(1, 2).reshape(B, N, self.num_heads * self.head_dim))


class Transformer(nn.Module):
    def __init__(self, *, plain: bool) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, 4)
        self.token, self.places = nn.Parameter(torch.zeros(1, 1, 8)), nn.Parameter(torch.zeros(1, 5, 8))
        self.attention, self.head = Attention(8, 4, plain), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.places
        return self.head(self.attention(x)[:, 0])


class Scales(nn.Module):
    """As in ConvNeXt: a depthwise convolution, a layer norm, two linear layers, a scale for each channel."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.dw, self.norm = nn.Conv2d(size, size, 7, padding=3, groups=size), nn.LayerNorm(size)
        self.fc1, self.fc2, self.gamma = (
            nn.Linear(size, 2 * size),
            nn.Linear(2 * size, size),
            nn.Parameter(torch.ones(size)),
        )

    def forward(self, x: Tensor) -> Tensor:
        out = self.norm(self.dw(x).permute(0, 2, 3, 1))
        out = self.gamma * self.fc2(F.gelu(self.fc1(out)))
        return x + out.permute(0, 3, 1, 2)


class Drops(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, 0.5, training=self.training)


class Twice(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(F.relu(self.inner(x)))


class Splits(nn.Module):
    """Its code knows how many channels there are, which no trace can see."""

    def __init__(self, sizes: list[int]) -> None:
        super().__init__()
        self.sizes, self.conv = sizes, conv(sizes[0], sizes[0])

    def forward(self, x: Tensor) -> Tensor:
        one, other = torch.split(x, self.sizes, 1)
        return torch.cat([self.conv(one), other], 1)


def tied() -> nn.Sequential:
    network = nn.Sequential(conv(3, 8), nn.Conv2d(8, 8, 1), nn.ReLU(), nn.Conv2d(8, 8, 1), head(8))
    network[3].weight = network[1].weight
    return network


def placed_twice() -> nn.Sequential:
    inner = conv(8, 8)
    return nn.Sequential(conv(3, 8), inner, nn.ReLU(), inner, conv(8, 6), head(6))


def block_placed_twice() -> nn.Sequential:
    block = Adds(conv(8, 6), conv(6, 8))
    return nn.Sequential(conv(3, 8), block, conv(8, 8), block, head(8))


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "chain": lambda: nn.Sequential(conv(3, 8), nn.ReLU(), conv(8, 12), nn.Hardswish(), head(12)),
    "residual": lambda: nn.Sequential(
        conv(3, 8), Adds(conv(8, 12), nn.ReLU(), conv(12, 8)), Adds(conv(8, 6), conv(6, 8)), head(8)
    ),
    "concatenation": lambda: nn.Sequential(conv(3, 8), Both(conv(8, 4), conv(8, 6)), conv(10, 8, 1), head(8)),
    "depthwise": lambda: nn.Sequential(
        conv(3, 8), Adds(conv(8, 16, 1), nn.SiLU(), conv(16, 16, 5, groups=16), nn.SiLU(), conv(16, 8, 1)), head(8)
    ),
    "excitation": lambda: nn.Sequential(conv(3, 8), Excites(8, 4), conv(8, 6), head(6)),
    "groups": lambda: nn.Sequential(conv(3, 8), nn.ReLU(), conv(8, 16, groups=4), nn.ReLU(), conv(16, 8), head(8)),
    "shuffle": lambda: nn.Sequential(conv(3, 8), Shuffles(4), Shuffles(4), conv(8, 6), head(6)),
    "native shuffle": lambda: nn.Sequential(conv(3, 8), nn.ChannelShuffle(2), conv(8, 6), head(6)),
    "attention": lambda: Transformer(plain=False),
    "plain attention": lambda: Transformer(plain=True),
    "layer scale": lambda: nn.Sequential(conv(3, 8), Scales(8), Scales(8), head(8)),
    "prelu": lambda: nn.Sequential(conv(3, 8), nn.PReLU(8), conv(8, 6), nn.PReLU(), head(6)),
    "dropout": lambda: nn.Sequential(conv(3, 8), Drops(), conv(8, 6), head(6)),
    "used twice": lambda: nn.Sequential(conv(3, 8), Twice(conv(8, 8)), head(8)),
    "tied": tied,
    "placed twice": placed_twice,
    "block placed twice": block_placed_twice,
    "group norm": lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.GroupNorm(4, 8), nn.Conv2d(8, 6, 3), head(6)),
    "flat": lambda: nn.Sequential(
        conv(3, 6), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(96, 8), nn.ReLU(), nn.Linear(8, 3)
    ),
    "pixel shuffle": lambda: nn.Sequential(conv(3, 16), nn.PixelShuffle(2), conv(4, 6), head(6)),
    "transposed": lambda: nn.Sequential(conv(3, 8), nn.ConvTranspose2d(8, 6, 2, 2), conv(6, 6), conv(6, 4), head(4)),
    "standardised": lambda: nn.Sequential(
        conv(3, 8), StdConv2d(8, 6, 3, padding=1), nn.ReLU(), conv(6, 6), conv(6, 4), head(4)
    ),
    "split": lambda: nn.Sequential(conv(3, 8), Splits([4, 4]), conv(8, 6), head(6)),
}  # fmt: skip


@dataclass(frozen=True)
class Tiny:
    """A network with what can be smaller in it, in multiples of 2 channels, and images of 8 x 8 pixels."""

    name: str
    network: nn.Module
    structure: Structure
    images: Tensor

    def shapes(self, count: int, seed: int = 0) -> list[Shape]:
        """Random shapes, after the smallest."""
        return [self.structure.smallest(), *(drawn(self.structure, seed + i) for i in range(count))]


def drawn(structure: Structure, seed: int) -> Shape:
    rng = np.random.default_rng(seed)
    return Shape(
        {group.name: int(rng.choice(group.widths)) for group in structure.groups},
        tuple(path for path in structure.blocks if rng.random() < 0.3),
        {path: int(rng.choice(range(3, side + 1, 2))) for path, side in structure.kernels.items()},
    )


def unlike(network: nn.Module) -> nn.Module:
    """In eval mode, with scales, shifts and statistics of which no two are the same."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in network.parameters():
            if p.ndim <= 1 or p.abs().max() < 1e-3:
                p.add_(0.2 * torch.randn(p.shape, generator=generator))
        for name, buffer in network.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                buffer.add_(0.3 * torch.rand(buffer.shape, generator=generator))
    return network.eval()


@pytest.fixture
def make() -> Callable[[str], nn.Module]:
    """A tiny network by its name."""
    return lambda name: unlike(NETWORKS[name]())


@pytest.fixture(params=list(NETWORKS))
def tiny(request: pytest.FixtureRequest, make: Callable[[str], nn.Module]) -> Tiny:
    network, images = make(request.param), torch.randn(4, 3, 8, 8)
    return Tiny(request.param, network, checked(network, trace(network, images[:1], 2), images[:1]), images)


@pytest.fixture
def differ() -> Callable[[nn.Module], nn.Module]:
    """Makes all scales, shifts and statistics of a network different."""
    return unlike


@pytest.fixture
def draw() -> Callable[[Structure, int], Shape]:
    """A random shape by its seed."""
    return drawn


@pytest.fixture
def run() -> Callable[..., Any]:
    """Runs an operation of torch.ops.aten, and has the labels follow it. Returns what it returned."""

    def call(labels: Labels, operation: Any, *args: Any, **kwargs: Any) -> Any:
        returned = operation(*args, **kwargs)
        follow(labels, call_of(operation, args, kwargs, returned))
        return returned

    return call
