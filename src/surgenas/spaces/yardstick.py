"""What found networks are measured by: MobileNetV2, scaled in width, for the same images and classes."""

from __future__ import annotations

from surgenas.core.architecture import Architecture
from surgenas.core.moves import uniform_architecture
from surgenas.core.space import Space
from surgenas.spaces.mobile import Mobile

SMALL_STRIDE = {"small", "mobilenetv2-small"}
"""Layouts of total stride 16, beside which the yardstick keeps as much resolution as they do."""
LARGE = 112
"""Height and width from which networks of spaces without a layout meet the published total stride of 32."""


def yardstick(space: Space, width: float) -> Architecture:
    """MobileNetV2 at a multiple of its published width."""
    settings = space.settings
    layout, size = settings.get("layout"), space.input_shape[1]
    small = layout in SMALL_STRIDE if layout else size < LARGE
    beside = Mobile(
        layout="mobilenetv2-small" if small else "mobilenetv2", resolution=size, width=width,
        classes=int(settings.get("classes", 1000)), dropout=float(settings.get("dropout", 0.2)),
    )  # fmt: skip
    return uniform_architecture(beside, "k3e6")
