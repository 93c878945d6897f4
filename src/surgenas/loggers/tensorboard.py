"""TensorBoard (extra: tensorboard), by Lightning Fabric's logger: curves, hyperparameters, and words as text."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from itertools import count
from pathlib import Path

from surgenas.core.errors import EnvironmentFault
from surgenas.loggers.base import Plain
from surgenas.loggers.fabric import OfFabric

EVENTS = "events.out.tfevents.*"


class TensorBoard(OfFabric):
    """A folder of event files: `tensorboard` in the run folder, or one of the run's name in the folder asked for.

    A session that goes on adds an event file with the points that the others do not have.
    """

    def __init__(self, folder: Path, where: str = "", word: str = "") -> None:
        if find_spec("tensorboard") is None:
            raise EnvironmentFault("TensorBoard is not installed: pip install 'surgenas[tensorboard]'")
        from lightning_fabric.loggers.tensorboard import TensorBoardLogger

        if where:
            self.word = word or str(_own(Path(where).resolve() / folder.resolve().name))
        self.folder = Path(self.word) if where else folder / "tensorboard"
        self._has_settings = False
        self.board = TensorBoardLogger(self.folder, name="", version="")
        super().__init__(self.board)

    def known(self) -> Mapping[tuple[str, int], float]:
        if not _has_events(self.folder):
            return {}
        from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

        read = EventAccumulator(str(self.folder), size_guidance={SCALARS: 0}).Reload()
        self._has_settings = "_hparams_/session_start_info" in read.summary_metadata
        return {(name, e.step): e.value for name in read.Tags()[SCALARS] for e in read.Scalars(name)}

    def write_settings(self, settings: Mapping[str, Plain]) -> None:
        """As hyperparameters, once. Without a list of metrics, TensorBoard's table offers every curve's last value."""
        if self._has_settings:
            return
        from torch.utils.tensorboard.summary import hparams

        _, start, end = hparams(dict(settings), {})
        writer = self.board.experiment._get_file_writer()
        writer.add_summary(start)
        writer.add_summary(end)

    def write_words(self, words: Mapping[str, str]) -> None:
        for name, text in words.items():
            self.board.experiment.add_text(name, text, 0)


def _own(wanted: Path) -> Path:
    """The folder itself, or if another run has written there, the first of <folder>-2, <folder>-3, .. that is free."""
    names = (wanted.name if number == 1 else f"{wanted.name}-{number}" for number in count(1))
    return next(path for name in names if not _has_events(path := wanted.with_name(name)))


def _has_events(folder: Path) -> bool:
    return any(folder.glob(EVENTS))
