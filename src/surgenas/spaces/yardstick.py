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


WIDTHS = tuple(round(0.1 + 0.02 * i, 2) for i in range(100))
"""Multiples of the published width that the yardstick may have."""


def yardstick(space: Space, width: float) -> Architecture:
    """MobileNetV2 at a multiple of its published width."""
    return uniform_architecture(_beside(space, width), "k3e6")


def yardsticks(space: Space) -> list[Architecture]:
    """The yardstick at all WIDTHS, without those that rounding has made the same network as a narrower one."""
    by_shape: dict[tuple[int, ...], Mobile] = {}
    for width in WIDTHS:
        beside = _beside(space, width)
        by_shape.setdefault(beside.shape, beside)
    return [uniform_architecture(beside, "k3e6") for beside in by_shape.values()]


def _beside(space: Space, width: float) -> Mobile:
    settings = space.settings
    layout, size = settings.get("layout"), space.input_shape[1]
    small = layout in SMALL_STRIDE if layout else size < LARGE
    return Mobile(
        layout="mobilenetv2-small" if small else "mobilenetv2", resolution=size, width=width,
        classes=int(settings.get("classes", 1000)), dropout=float(settings.get("dropout", 0.2)),
    )  # fmt: skip
