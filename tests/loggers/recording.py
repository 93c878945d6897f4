"""Loggers for tests: one of ours that notes what it is told and may fail, and one for Fabric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from lightning_fabric.loggers import Logger as FabricLogger

from surgenas.loggers.base import Logger, Plain, Point, Status


class Recording(Logger):
    """Remembers by place what it was told, as a server does. `broken` places refuse the calls of these names."""

    made: ClassVar[dict[str, Recording]] = {}
    broken: ClassVar[dict[str, set[str]]] = {}

    def __new__(cls, place: str) -> Recording:
        return cls.made.setdefault(place, super().__new__(cls))

    def __init__(self, place: str) -> None:
        self.place = place
        if not hasattr(self, "points"):
            self.points: list[Point] = []
            self.settings: list[dict[str, Plain]] = []
            self.words: dict[str, str] = {}
            self.files: list[str] = []
            self.statuses: list[Status] = []

    @classmethod
    def forget(cls) -> None:
        cls.made.clear()
        cls.broken.clear()

    def _meet(self, call: str) -> None:
        if call in self.broken.get(self.place, ()):
            raise ConnectionError("nobody\nanswers")
        print(f"{call} of {self.place}")  # noqa: T201  as MLflow does

    def known(self) -> Mapping[tuple[str, int], float]:
        self._meet("known")
        return {(p.name, p.step): p.value for p in self.points}

    def write(self, points: Sequence[Point]) -> None:
        self._meet("write")
        self.points += points

    def write_settings(self, settings: Mapping[str, Plain]) -> None:
        self._meet("write_settings")
        self.settings.append(dict(settings))

    def write_words(self, words: Mapping[str, str]) -> None:
        self._meet("write_words")
        self.words |= words

    def keep(self, file: Path) -> None:
        self._meet("keep")
        self.files.append(file.name)

    def close(self, status: Status) -> None:
        self._meet("close")
        self.statuses.append(status)


RECORDING = f"{__name__}:Recording"


class ForFabric(FabricLogger):
    """As another package would write it."""

    name, version = "elsewhere", 0

    def __init__(self, root_dir: str) -> None:
        self.root, self.told = root_dir, []

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.told.append((step, metrics))

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        self.told.append(params)

    def finalize(self, status: str) -> None:
        self.told.append(status)
