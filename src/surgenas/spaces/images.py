"""What do spaces share whose only settings are the image size and the number of classes?"""

from __future__ import annotations

from surgenas.core.architecture import Setting
from surgenas.core.errors import UsageError
from surgenas.core.space import Space


class ImageSpace(Space):
    """A space with two settings. classes: number of classes. resolution: input height and width."""

    def __init__(self, *, classes: int, resolution: int) -> None:
        if classes != int(classes) or not 2 <= classes <= 1_000_000 or not 8 <= resolution <= 2048:
            raise UsageError(
                f"{self.name}: classes {classes} or resolution {resolution}: expected whole numbers, at least 2 and 8 "
                "to 2048"
            )
        self.classes, self.resolution = int(classes), int(resolution)

    @property
    def settings(self) -> dict[str, Setting]:
        return {"classes": self.classes, "resolution": self.resolution}

    @property
    def input_shape(self) -> tuple[int, int, int]:
        return (3, self.resolution, self.resolution)
