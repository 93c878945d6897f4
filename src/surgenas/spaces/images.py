"""What do spaces share whose settings are the image size, the number of classes, and little else?"""

from __future__ import annotations

from surgenas.core.architecture import Setting
from surgenas.core.errors import UsageError
from surgenas.core.space import Space


class ImageSpace(Space):
    """A space with these two settings. classes: number of classes. resolution: input height and width."""

    def __init__(self, *, classes: int, resolution: int) -> None:
        self.classes = self.whole_number("classes", classes, 2, 1_000_000)
        self.resolution = self.whole_number("resolution", resolution, 8, 2048)

    def whole_number(self, what: str, value: Setting, least: int, most: int) -> int:
        """The value of a setting; raises UsageError for what is no whole number between these."""
        if not isinstance(value, (int, float)) or not least <= value <= most or value != int(value):
            raise UsageError(f"{self.name}: {what} {value!r}: expected a whole number from {least} to {most}")
        return int(value)

    @property
    def settings(self) -> dict[str, Setting]:
        return {"classes": self.classes, "resolution": self.resolution}

    @property
    def input_shape(self) -> tuple[int, int, int]:
        return (3, self.resolution, self.resolution)
