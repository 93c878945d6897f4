"""What a run is also written to, so that people follow it where they follow everything else: TensorBoard, MLflow."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from surgenas.core.catalog import look_up, make
from surgenas.core.errors import UsageError
from surgenas.loggers.base import Logger

CATALOG = {
    "tensorboard": "surgenas.loggers.tensorboard:TensorBoard",
    "mlflow": "surgenas.loggers.mlflow:MLflow",
}
"""Loggers by name. Each is made from a run folder, where to write, and the word by which that place knows the run."""


def make_logger(to: str, folder: Path, word: str = "") -> Logger:
    """The logger that `NAME` or `NAME=WHERE` asks for, for the run in a folder. Nothing is written yet.

    NAME: one of CATALOG, or the "package.module:Class" of a logger for Lightning Fabric, which is made from the folder
    to write to. word: what the place has called the run before. Raises UsageError for a name that does not exist,
    EnvironmentFault, naming the extra, for a package that is not installed.
    """
    from surgenas.loggers.fabric import OfFabric

    name, equals, where = to.partition("=")
    if equals and not where:
        raise UsageError(f"--log-to {to}: expected NAME or NAME=WHERE, for example tensorboard=logs/")
    if name in CATALOG:
        found: Logger = look_up("logger", name, CATALOG)(folder, where, word)
        return found
    made = make("logger", name, CATALOG, where or str(folder / "logs"))
    return made if isinstance(made, Logger) else OfFabric(made)


def check_loggers(asked: Iterable[str], folder: Path) -> None:
    """Raise what `make_logger` would, before time is spent; loggers of other packages are looked up, not made."""
    for to in asked:
        name = to.partition("=")[0]
        if name in CATALOG:
            make_logger(to, folder)
        else:
            look_up("logger", name, CATALOG)
