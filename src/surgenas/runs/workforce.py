"""Who works for a run beside this process: processes that train together, or a Ray cluster."""

from __future__ import annotations

import inspect
from functools import cached_property
from types import ModuleType

from surgenas.core.catalog import look_up
from surgenas.core.errors import UsageError
from surgenas.engine.base import Engine
from surgenas.engine.here import Here
from surgenas.engine.ray import Cluster, OnRay
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import Target
from surgenas.runs.config import RunConfig
from surgenas.spaces import CATALOG
from surgenas.training.team import Team

HERE = "here"


class Workforce:
    """Those that a configuration asks for; they begin when they are first needed, and end with `close`."""

    def __init__(self, config: RunConfig) -> None:
        self.config = config

    @cached_property
    def team(self) -> Team:
        """The processes that train together, this one among them."""
        return Team(self.config.training.accelerator, self.config.training.processes)

    @cached_property
    def cluster(self) -> Cluster | None:
        """The Ray cluster; None for a run that needs none. Errors as of `Cluster`, and UsageError beside a team."""
        if self.config.engine == HERE:
            return None
        if self.team.count > 1:
            raise UsageError(
                f"--engine {self.config.engine}: a training on the cluster is one process; leave out --processes"
            )
        return Cluster(self.config.engine, self.config.target.name, self._own())

    def _own(self) -> list[ModuleType]:
        """The module of a space that is the user's. Raises UsageError if it cannot be loaded."""
        name = self.config.space.name or ""
        module = inspect.getmodule(look_up("space", name, CATALOG)) if ":" in name else None
        return [module] if module else []

    def target(self) -> Target:
        """What costs are asked of, wherever it is."""
        name = self.config.target.name
        return self.cluster.target(name) if self.cluster else make_target(name)

    def placed(self, engine: Here) -> Engine:
        """The same engine, training wherever there is room for it."""
        return OnRay(engine, self.cluster) if self.cluster else engine

    def check(self) -> None:
        """Raise EnvironmentFault if one of those that work is gone."""
        self.team.check()

    def close(self) -> None:
        """Let them go."""
        self.team.close()
        cluster = self.__dict__.pop("cluster", None)
        if cluster:
            cluster.close()
