"""Which space does an architecture in a run folder belong to?

A file may name only spaces of the catalogue, since it must not make us import a module. The configuration of a run may
name others, since its user asked for them.
"""

from __future__ import annotations

from pathlib import Path

from surgenas.core.architecture import Architecture, read_architecture
from surgenas.core.progress import Progress
from surgenas.core.space import Space
from surgenas.engine.jobs import home_of
from surgenas.runs.run import Run
from surgenas.spaces import CATALOG


def read_with_space(path: str | Path) -> tuple[Architecture, Space]:
    """The architecture of a file or a run folder, and its space; raises UsageError saying what is wrong with it."""
    arch = read_architecture(path)
    if arch.space.name in CATALOG or not (Path(path) / "config.json").is_file():
        return arch, home_of(arch)
    space = Run.open(Path(path), Progress()).space
    return arch, home_of(arch, space)
