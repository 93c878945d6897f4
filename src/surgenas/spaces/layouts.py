"""Where do mobile networks change their width and resolution, and how deep are they? Layouts, as data."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from surgenas.nn.relu6 import ReLU6


@dataclass(frozen=True)
class Stage:
    """A part of a layout: `repeats` searchable layers of `width` channels, the first of them with the stride."""

    width: int
    repeats: int
    stride: int


@dataclass(frozen=True)
class Layout:
    """What a mobile network has around its operators; numbers are channels, and 0 leaves a part out.

    stem: a 3x3 convolution of stride 2. fixed: a depthwise-separable block. stages: the searchable layers. tail: a
    k3e6 block before the head. head: a 1x1 convolution. hidden: units of a layer before the classifier. relu6: whether
    the activation is ReLU6, or plain ReLU. resolution: the input height and width that the layout is made for.
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
        return ReLU6 if self.relu6 else nn.ReLU


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
    # MobileNetV2 is the architecture k3e6 of this layout; the yardstick in every report
    "mobilenetv2": Layout(
        stem=32,
        fixed=16,
        stages=(Stage(24, 2, 2), Stage(32, 3, 2), Stage(64, 4, 2), Stage(96, 3, 1), Stage(160, 3, 2), Stage(320, 1, 1)),
        head=1280,
    ),
    # MobileNetV2 with the total stride of `small`, so that the yardstick keeps as much resolution as we do
    "mobilenetv2-small": Layout(
        stem=32,
        fixed=16,
        stages=(Stage(24, 2, 2), Stage(32, 3, 2), Stage(64, 4, 1), Stage(96, 3, 1), Stage(160, 3, 2), Stage(320, 1, 1)),
        head=1280,
        resolution=64,
    ),
}
