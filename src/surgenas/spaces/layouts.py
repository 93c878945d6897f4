"""Macro structures of mobile networks, as data: where width, depth and resolution change."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Stage:
    """`repeats` searchable layers of `width` channels; the first has the stride."""

    width: int
    repeats: int
    stride: int


@dataclass(frozen=True)
class Layout:
    """stem (3x3, stride 2), one depthwise-separable block of `fixed` channels (0: none), stages, head (1x1), optional
    hidden layer.

    tail: channels of a fixed k3e6 block before the head, 0: none. relu6: else plain ReLU.
    """

    stem: int
    fixed: int
    stages: tuple[Stage, ...]
    head: int
    hidden: int = 0
    tail: int = 0
    relu6: bool = True
    resolution: int = 224

    @property
    def act(self) -> type[nn.Module]:
        return nn.ReLU6 if self.relu6 else nn.ReLU


LAYOUTS: dict[str, Layout] = {
    # ProxylessNAS / FBNet-like (docs/methods/surgenas.md, 1)
    "proxyless": Layout(
        stem=32,
        fixed=16,
        stages=(Stage(24, 4, 2), Stage(40, 4, 2), Stage(80, 4, 2), Stage(96, 4, 1), Stage(192, 4, 2), Stage(320, 1, 1)),
        head=1280,
    ),
    # DenseNAS widths, as LightNAS uses them (docs/methods/surgenas.md, 1)
    "densenas": Layout(
        stem=16,
        fixed=16,
        stages=(
            Stage(24, 2, 2),
            Stage(48, 3, 2),
            Stage(72, 4, 2),
            Stage(128, 3, 1),
            Stage(160, 4, 2),
            Stage(176, 4, 1),
            Stage(384, 1, 1),
        ),
        head=1984,
        hidden=1280,
    ),
    # Single-Path NAS (docs/methods/single_path.md, 1)
    "single-path": Layout(
        stem=32,
        fixed=16,
        stages=(Stage(24, 4, 2), Stage(40, 4, 2), Stage(80, 4, 2), Stage(96, 4, 1), Stage(192, 4, 2)),
        tail=320,
        head=1280,
        relu6=False,
    ),
    # SPOS (docs/methods/hurricane.md, 1)
    "shuffle": Layout(
        stem=16,
        fixed=0,
        stages=(Stage(64, 4, 2), Stage(160, 4, 2), Stage(320, 8, 2), Stage(640, 4, 2)),
        head=1024,
        relu6=False,
    ),
    # HURRICANE: the same repeats, MobileNet-like widths (docs/methods/hurricane.md, 1)
    "operators": Layout(
        stem=16,
        fixed=0,
        stages=(Stage(32, 4, 2), Stage(64, 4, 2), Stage(128, 8, 2), Stage(256, 4, 2)),
        head=1280,
        relu6=False,
    ),
    # for images of 32 to 96 px: total stride 16, 11 searchable layers
    "small": Layout(
        stem=16,
        fixed=8,
        stages=(Stage(16, 2, 2), Stage(32, 3, 2), Stage(64, 3, 1), Stage(96, 3, 2)),
        head=512,
        resolution=64,
    ),
    # MobileNetV2 is the architecture k3e6 of this layout; the reference in every report
    "mobilenetv2": Layout(
        stem=32,
        fixed=16,
        stages=(Stage(24, 2, 2), Stage(32, 3, 2), Stage(64, 4, 2), Stage(96, 3, 1), Stage(160, 3, 2), Stage(320, 1, 1)),
        head=1280,
    ),
    # MobileNetV2 with the total stride of `small`, so that the reference keeps as much resolution as we do
    "mobilenetv2-small": Layout(
        stem=32,
        fixed=16,
        stages=(Stage(24, 2, 2), Stage(32, 3, 2), Stage(64, 4, 1), Stage(96, 3, 1), Stage(160, 3, 2), Stage(320, 1, 1)),
        head=1280,
        resolution=64,
    ),
}

REFERENCE_LAYOUT = {"small": "mobilenetv2-small", "mobilenetv2-small": "mobilenetv2-small"}
