"""A run works alone unless its configuration asks for others."""

from __future__ import annotations

from types import ModuleType

import pytest

from surgenas.core.errors import UsageError
from surgenas.engine import ray
from surgenas.engine.ray import OnRay
from surgenas.runs import workforce
from surgenas.runs.config import make_config
from surgenas.runs.workforce import Workforce
from surgenas.testing import doubles


class Standing:
    """In place of a cluster. closed: how often."""

    closed = 0

    def __init__(self, address: str, device: str, own: list[ModuleType]) -> None:
        self.said, self.own = (address, device), own

    def target(self, name: str) -> str:
        return f"{name} there"

    def close(self) -> None:
        Standing.closed += 1


def test_alone_the_device_is_here_and_an_engine_stays_what_it_is():
    alone = Workforce(make_config(device="roofline-example"))
    assert alone.cluster is None
    assert alone.target().name == "roofline-example"
    engine = object()
    assert alone.placed(engine) is engine
    assert alone.team.count == 1
    alone.check()
    alone.close()


def test_a_cluster_has_device_and_trainings(monkeypatch):
    monkeypatch.setattr(workforce, "Cluster", Standing)
    many = Workforce(make_config(device="a", engine="ray://there:10001"))
    assert many.cluster.said == ("ray://there:10001", "a")
    assert many.target() == "a there"
    placed = many.placed("engine")
    assert isinstance(placed, OnRay)
    assert (placed.here, placed.cluster) == ("engine", many.cluster)
    assert many.cluster.own == []
    many.close()
    many.close()
    assert Standing.closed == 1


def test_the_module_of_a_space_that_is_the_users_travels(monkeypatch):
    monkeypatch.setattr(workforce, "Cluster", Standing)
    assert Workforce(make_config(engine="ray", space="surgenas.testing:Planted")).cluster.own == [doubles]
    with pytest.raises(UsageError, match="space 'nosuch:Space' cannot be loaded: No module named 'nosuch'"):
        assert Workforce(make_config(engine="ray", space="nosuch:Space")).cluster


def test_a_training_on_a_cluster_is_one_process():
    with pytest.raises(
        UsageError, match="--engine ray: a training on the cluster is one process; leave out --processes"
    ):
        assert Workforce(make_config(engine="ray", processes=2)).cluster
    assert ray.SCHEME == "ray://"
