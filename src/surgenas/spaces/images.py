"""What do spaces share whose only settings are the image size and the number of classes?"""

from __future__ import annotations

from surgenas.core.architecture import Setting
from surgenas.core.errors import UsageError
from surgenas.core.space import Space


class ImageSpace(Space):
    """A space with two settings. classes: number of classes. resolution: input height and width."""

    def __init__(self, *, classes: int, resolution: int) -> None:
        for what, value, least, most in (("classes", classes, 2, 1_000_000), ("resolution", resolution, 8, 2048)):
            if not isinstance(value, (int, float)) or not least <= value <= most or value != int(value):
                raise UsageError(f"{self.name}: {what} {value!r}: expected a whole number from {least} to {most}")
        self.classes, self.resolution = int(classes), int(resolution)

    @property
    def settings(self) -> dict[str, Setting]:
        return {"classes": self.classes, "resolution": self.resolution}

    @property
    def input_shape(self) -> tuple[int, int, int]:
        return (3, self.resolution, self.resolution)
