"""Trainings on a cluster are those of here, and what is not there is said in one line. Ray itself is stood in for: a
real cluster of three nodes is in benchmarks/cluster.py."""

from __future__ import annotations

import socket
import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from surgenas.core.cost import Estimate
from surgenas.core.errors import DataError, EnvironmentFault, Interrupted, UsageError
from surgenas.core.progress import Progress
from surgenas.core.seeds import derive
from surgenas.core.work import Judge, Price, Train
from surgenas.engine.here import Here
from surgenas.engine.ray import Cluster, OnRay
from surgenas.engine.ray_target import RemoteTarget
from surgenas.engine.ray_training import Newest
from surgenas.nn.weights import save_weights
from surgenas.tasks.data import Images, hold_out
from surgenas.testing import Planted, toy_device
from surgenas.training.loop import Recipe
from surgenas.training.team import Team

SPACE = Planted()
ARCH = SPACE.architecture(tuple(choice.options[-1] for choice in SPACE.choices))
RECIPE = Recipe(epochs=2, batch=64)


class Lost(Exception):
    """As ray.exceptions.RayError."""


class Ended(Lost):
    """As ray.exceptions.RayActorError."""


class Raised(Lost):
    """As ray.exceptions.RayTaskError."""

    def __init__(self, cause: Exception) -> None:
        super().__init__("a long traceback")
        self.cause = cause


class StandIn:
    """What is used of Ray. begun: the options of tasks and actors in their order; they run when they are asked for."""

    exceptions = SimpleNamespace(RayError=Lost, RayActorError=Ended, RayTaskError=Raised)

    def __init__(self, resources: dict[str, float], *, running: bool = True) -> None:
        self.resources, self.running = resources, running
        self.begun: list[dict[str, Any]] = []
        self.waited = 0
        self.addresses: list[Any] = []

    def init(self, address: Any, **how: Any) -> None:
        self.addresses.append(address)
        if address == "auto" and not self.running:
            raise ConnectionError("no cluster")
        if isinstance(address, str) and address.startswith("ray://"):
            raise RuntimeError("connection timeout\n  at grpc")
        self.resources |= how.get("resources", {})

    def cluster_resources(self) -> dict[str, float]:
        return self.resources

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "Resources": self.resources}, {"Alive": True, "Resources": {}}]

    def put(self, value: Any) -> Any:
        return SimpleNamespace(value=value)

    def wait(self, answers: list[Any], timeout: float) -> tuple[list[Any], list[Any]]:
        """Nothing is there when it is first asked for."""
        self.waited += 1
        return (answers, []) if self.waited % 2 == 0 else ([], answers)

    def get(self, answer: Any) -> Any:
        try:
            return answer()
        except Lost:
            raise
        except Exception as error:
            raise Raised(error) from error

    def remote(self, what: Any) -> Any:
        def options(**said: Any) -> Any:
            self.begun.append(said)
            return SimpleNamespace(remote=begin)

        def begin(*args: Any) -> Any:
            args = tuple(arg.value if isinstance(arg, SimpleNamespace) else arg for arg in args)
            return self._actor(what(*args)) if isinstance(what, type) else lambda: what(*args)

        return SimpleNamespace(options=options)

    def _actor(self, held: Any) -> Any:
        def method(name: str) -> Any:
            return SimpleNamespace(remote=lambda *args, **kwargs: lambda: getattr(held, name)(*args, **kwargs))

        return SimpleNamespace(do=method("do"), kind=method("kind"))

    def shutdown(self) -> None:
        self.resources.clear()


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(Cluster, "_check_head", lambda self: None)
    found = StandIn({"CPU": 2.0})
    monkeypatch.setitem(sys.modules, "ray", found)
    return found


@pytest.fixture
def here(few_digits) -> Here:
    data, aside = hold_out(few_digits, 0.2, 1000, seed=0)
    return Here(Images(few_digits, data, aside), RECIPE, (replace(RECIPE, epochs=1),), SPACE, 3, team=Team("cpu"))


def test_trainings_are_those_of_here_and_begin_at_once(ray, here):
    told: list[tuple[str, int]] = []
    here = replace(here, on_epoch=lambda name, epoch: told.append((name, epoch.epoch)))
    works = [Train("one", ARCH, 5), Judge(ARCH), Train("two", ARCH, 6)]
    engine = OnRay(here, Cluster("ray", "toy"))
    engine.expect(works)
    engine.expect(works)
    assert [options["num_cpus"] for options in ray.begun] == [min(2, torch.get_num_threads())] * 3, "each once"
    found = [engine.perform(work) for work in works]
    assert told == [("one", 0), ("one", 1), ("two", 0), ("two", 1)]
    expected = [here.perform(work) for work in works]
    assert found[1] == expected[1]
    for one, other in ((found[0], expected[0]), (found[2], expected[2])):
        assert one.accuracy == other.accuracy
        assert all(torch.equal(one.weights[name], other.weights[name]) for name in other.weights)
    engine.cluster.close()


def test_a_candidate_goes_on_from_where_it_stands_though_nodes_keep_nothing(ray, here):
    stands = Newest(None)
    works = [Judge(ARCH, 0), Judge(ARCH, 1), Train(Judge(ARCH).name, ARCH, 5)]
    on = replace(here, candidates=(replace(RECIPE, epochs=1), RECIPE), goes_on=True, store=lambda name: stands)
    expected = [on.perform(work) for work in works]
    stands.state = None
    engine = OnRay(on, Cluster("ray", "toy"))
    found = [engine.perform(work) for work in works]
    assert found[:2] == expected[:2]
    assert stands.state[0] == 2
    assert found[2].accuracy == expected[2].accuracy


def test_weights_to_begin_with_travel(ray, here, tmp_path):
    torch.manual_seed(derive(0, "start"))
    start = save_weights(tmp_path / "start.safetensors", SPACE.build(ARCH).state_dict())
    work, engine = Train("one", ARCH, 5, start), OnRay(here, Cluster("ray", "toy"))
    expected = here.perform(work)
    engine.expect([work])
    (tmp_path / "start.safetensors").unlink()
    assert engine.perform(work).accuracy == expected.accuracy


def test_an_error_of_a_task_is_raised_as_it_was(ray, here, monkeypatch):
    def broken(*args: Any) -> Any:
        raise DataError("a.png cannot be read")

    monkeypatch.setattr("surgenas.engine.ray.train_there", broken)
    with pytest.raises(DataError, match=r"^a.png cannot be read$"):
        OnRay(here, Cluster("ray", "toy")).perform(Judge(ARCH))
    monkeypatch.setattr("surgenas.engine.ray.train_there", lambda *args: 1 // 0)
    with pytest.raises(Raised):
        OnRay(here, Cluster("ray", "toy")).perform(Judge(ARCH))


def test_a_node_that_is_gone_is_said(ray, here, monkeypatch):
    def gone(*args: Any) -> Any:
        raise Lost("the node died\nand more")

    monkeypatch.setattr("surgenas.engine.ray.train_there", gone)
    with pytest.raises(EnvironmentFault, match=r"a node that trained is gone \(Lost\); what was finished is kept: st"):
        OnRay(here, Cluster("ray", "toy")).perform(Judge(ARCH))


def test_a_package_that_a_node_lacks_is_said(ray, here, monkeypatch):
    cluster = Cluster("ray", "toy")

    def lacks(*args: Any) -> Any:
        raise ModuleNotFoundError("No module named 'my.space'")

    monkeypatch.setattr("surgenas.engine.ray.train_there", lacks)
    monkeypatch.setattr(Raised, "__str__", lambda self: f"a long traceback\nModuleNotFoundError: {self.cause}")
    with pytest.raises(EnvironmentFault, match=r"a node of the Ray cluster: No module named 'my.space'; install there"):
        OnRay(here, cluster).perform(Judge(ARCH))

    def dead(*args: Any) -> Any:
        raise Lost("The actor died\nModuleNotFoundError: No module named 'surgenas'\n")

    monkeypatch.setattr("surgenas.engine.ray.train_there", dead)
    with pytest.raises(EnvironmentFault, match=r"a node of the Ray cluster: No module named 'surgenas'; install th"):
        OnRay(here, cluster).perform(Judge(ARCH))


def test_a_run_whose_time_is_up_waits_for_no_training(ray, here):
    class Over(Progress):
        def check(self) -> None:
            raise Interrupted("time is up")

    with pytest.raises(Interrupted, match="time is up"):
        OnRay(replace(here, progress=Over()), Cluster("ray", "toy")).perform(Judge(ARCH))


def test_what_a_cluster_lacks_is_said(ray, here):
    cluster = Cluster("ray", "toy")
    with pytest.raises(UsageError, match=r"no node of the Ray cluster has the device surgenas.testing:toy"):
        cluster.target("surgenas.testing:toy_device")
    assert cluster.target("roofline-example").units[0] == "ms", "an estimate is made here"
    with pytest.raises(UsageError, match="--accelerator cuda: no node of the Ray cluster has a GPU; use cpu or auto"):
        OnRay(replace(here, team=Team("cuda")), cluster).perform(Judge(ARCH))
    ray.resources.pop("CPU")
    with pytest.raises(UsageError, match="no node of the Ray cluster has processors to train on"):
        OnRay(here, cluster).perform(Judge(ARCH))


def test_where_no_cluster_runs_one_is_started(ray):
    ray.running = False
    Cluster("ray", "toy")
    assert ray.addresses == ["auto", None]
    assert ray.resources["toy"] == 1


def test_addresses_that_lead_nowhere(ray, monkeypatch):
    with pytest.raises(EnvironmentFault, match=r"--engine ray://127.0.0.1:1: nobody answers at ray://127.0.0.1:1"):
        Cluster("ray://127.0.0.1:1", "toy")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1")
    with pytest.raises(EnvironmentFault, match=r"--engine ray: nobody answers at 127.0.0.1 \(.*\); is `ray start"):
        Cluster("ray", "toy")
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        with pytest.raises(EnvironmentFault, match=r": no Ray cluster answers \(RuntimeError: connection timeo"):
            Cluster(f"ray://127.0.0.1:{port}", "toy")
    with pytest.raises(UsageError, match="--engine 'slurm': expected here, ray, or ray://HOST:10001"):
        Cluster("slurm", "toy")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(EnvironmentFault, match="--engine ray: Ray is not installed; pip install 'surgenas"):
        Cluster("ray", "toy")


def test_a_head_that_is_gone_is_said_before_ray_ends_the_process(ray, here, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "ray", ray)
    with socket.create_server(("127.0.0.1", 0)) as head:
        host, port = head.getsockname()
        ray.get_runtime_context = lambda: SimpleNamespace(gcs_address=f"{host}:{port}")
        engine = OnRay(here, Cluster("ray", "toy"))
        assert 0 <= engine.perform(Judge(ARCH)) <= 1, "it answers"
    with pytest.raises(EnvironmentFault, match=rf"the head of the Ray cluster is gone \({host}:{port}\); what was fi"):
        engine.perform(Judge(ARCH))


def test_a_device_is_asked_where_it_is(ray):
    name = "surgenas.testing:toy_device"
    ray.resources[name] = 1.0
    target = Cluster("ray", "toy").target(name)
    assert isinstance(target, RemoteTarget)
    assert target.key == toy_device().key
    assert target.known("any") == toy_device().known("any")
    (options,) = ray.begun  # held from the first question to the last
    assert (options["num_cpus"], options["resources"]) == (0, {name: 1})
    assert (options["name"], options["get_if_exists"]) == (name, True), "runs share it"


def test_a_device_whose_run_ended_is_asked_anew_while_a_node_has_it(ray, monkeypatch):
    name, left = "surgenas.testing:toy_device", [2]
    ray.resources[name] = 1.0
    target = Cluster("ray", "toy").target(name)

    def known(self: Any, reference: str) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise Ended("all references were removed")

    monkeypatch.setattr(type(toy_device()), "known", known)
    assert target.known("nothing") is None
    assert len(ray.begun) == 3, "made twice more"
    left[0] = 9
    with pytest.raises(EnvironmentFault, match=r"the node that has surgenas.testing:toy_device is gone \(Ended\)"):
        target.known("nothing")
    ray.resources.pop(name)
    begun = len(ray.begun)
    with pytest.raises(EnvironmentFault, match="is gone"):
        target.known("nothing")
    assert len(ray.begun) == begun + 1, "not made where no node has it"


def test_costs_that_are_asked_here_are_asked_here(ray, here):
    class Free:
        def price(self, jobs: Any, *args: Any, **kwargs: Any) -> list[Estimate]:
            return [Estimate(job.key, "free", {"ms": 1.0}, "free", "1") for job in jobs]

    (cost,) = OnRay(replace(here, target=Free()), Cluster("ray", "toy")).perform(Price((ARCH,)))
    assert cost.ms == 1.0
    assert np.isfinite(cost.ms)
    assert not ray.begun
