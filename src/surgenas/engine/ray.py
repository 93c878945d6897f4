"""Does work on a Ray cluster: trainings where processors are, costs where the device is.

A training is a task that takes as many cores as it would take here, so that its result does not hang on what else runs.
A device that is timed is an actor on a node that says it has it (docs/cluster.md), so that it is asked one thing at a
time. Ray begins a task again whose node died; it has one answer, however often it was begun.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from surgenas.core.errors import EnvironmentFault, SurgenasError, UsageError
from surgenas.core.work import Judge, Train, Work
from surgenas.engine.here import Here
from surgenas.engine.ray_target import Holder, Kind, remote_target
from surgenas.engine.ray_training import portable, train_there
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import Target, TimedTarget
from surgenas.tasks.data import Images

RETRIES = 3
"""How often a task is begun again whose node died, and how often a device is asked whose run ended meanwhile."""
SCHEME = "ray://"
NAMESPACE = "surgenas"
"""Where devices are known by their names, to all runs on a cluster."""
PATIENCE_S = 5.0
"""How long an address may take to answer."""
LOOK_S = 1.0
"""How often whoever waits for a task is asked whether it still wants to."""


class Cluster:
    """A Ray cluster that this process is connected with.

    address: "ray" for the cluster of this machine, which is started if there is none, or "ray://HOST:PORT" for one
    elsewhere. device: what a cluster that is started here has. own: the user's modules, which nodes need not have:
    what they define travels with the work. Raises UsageError for another address, EnvironmentFault
    if Ray is not installed or nobody answers.
    """

    def __init__(self, address: str, device: str, own: Sequence[ModuleType] = ()) -> None:
        if address != "ray" and not address.startswith(SCHEME):
            raise UsageError(f"--engine {address!r}: expected here, ray, or {SCHEME}HOST:10001")
        _show_token(address)
        try:
            import ray
        except ImportError:
            raise EnvironmentFault(f"--engine {address}: Ray is not installed; pip install 'surgenas[ray]'") from None
        self.ray, self.address = ray, address
        for module in own:
            ray.cloudpickle.register_pickle_by_value(module)
        self._begin(device)
        self._tasks: dict[str, Any] = {}
        self._holders: dict[str, Any] = {}
        self._put: dict[int, tuple[object, Any]] = {}

    def _begin(self, device: str) -> None:
        quiet: dict[str, Any] = {"logging_level": "error", "log_to_driver": False, "ignore_reinit_error": True}
        known = os.environ.get("RAY_ADDRESS") if self.address == "ray" else self.address
        if known:
            self._check_there(known)
            self._connect(known, **quiet)
            return
        try:
            self.ray.init("auto", **quiet)
        except ConnectionError:  # there is none
            self._connect(None, resources={device: 1}, include_dashboard=False, **quiet)

    def _check_head(self) -> None:
        """Raise EnvironmentFault if the head is gone: Ray itself waits for a minute, and then ends this process."""
        known = next(iter(self.known_as().values()), self.address)
        try:
            self._check_there(known)
        except EnvironmentFault:
            raise EnvironmentFault(
                f"the head of the Ray cluster is gone ({known}); what was finished is kept: start it again, and "
                "`surgenas resume` goes on, with --engine here without it"
            ) from None

    def _check_there(self, known: str) -> None:
        """Raise EnvironmentFault if nobody listens there: Ray itself tries for half a minute and more."""
        host, _, port = known.removeprefix(SCHEME).rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=PATIENCE_S).close()
        except (OSError, ValueError) as error:
            raise EnvironmentFault(
                f"--engine {self.address}: nobody answers at {known} ({error}); is `ray start --head` running there?"
            ) from None

    def _connect(self, address: str | None, **how: Any) -> None:
        try:
            self.ray.init(address, **how)
        except Exception as error:
            first = " ".join(str(error).split())[:300]
            raise EnvironmentFault(
                f"--engine {self.address}: no Ray cluster answers ({type(error).__name__}: {first}); is `ray start "
                "--head` running there, with the same versions of Ray and Python? If so, try again"
            ) from error

    # --- the device

    def target(self, name: str) -> Target:
        """The device of that name: on the node that has it if it is timed, else here.

        Raises UsageError if it is timed and no node has it."""
        if name not in self.ray.cluster_resources():
            target = make_target(name)
            if isinstance(target, TimedTarget):
                raise UsageError(
                    f"no node of the Ray cluster has the device {name}; start one that has: ray start "
                    f"--address HOST:6379 --resources='{{\"{name}\": 1}}'"
                )
            return target
        ask = partial(self._ask, name)
        kind: Kind = ask("kind", version("surgenas"))
        return remote_target(partial(ask, "do"), kind) if kind.timed else make_target(name)

    def _ask(self, name: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """What the one that holds a device answers. All runs on the cluster share it; it ends with the run that made
        it, and then another asks again."""
        for _ in range(RETRIES):
            held = self._holders.get(name) or self._hold(name)
            try:
                return self.get(getattr(held, method).remote(*args, **kwargs), f"the node that has {name}")
            except EnvironmentFault as error:
                ended = isinstance(error.__cause__, self.ray.exceptions.RayActorError)
                self._holders.pop(name)
                if not ended or name not in self.ray.cluster_resources():
                    raise
                gone = error
        raise gone

    def _hold(self, name: str) -> Any:
        """The one that holds a device, made if no run has; Ray ends it when whoever made it lets go of it."""
        options = {"name": name, "namespace": NAMESPACE, "get_if_exists": True, "num_cpus": 0, "resources": {name: 1}}
        self._holders[name] = self.ray.remote(Holder).options(**options).remote(name)
        return self._holders[name]

    # --- trainings

    def begin(self, here: Here, works: Sequence[Work]) -> None:
        """Begin these trainings, as an engine here would do them; others are left for later."""
        for work in works:
            if isinstance(work, (Train, Judge)) and _name(work) not in self._tasks:
                self._tasks[_name(work)] = self._task(here, work)

    def finish(self, here: Here, work: Train | Judge) -> Any:
        """The result of a training, when it is there."""
        self.begin(here, [work])
        found, epochs, stands = self.get(self._tasks.pop(_name(work)), "a node that trained", here.progress.check)
        own = here.store(work.name) if here.goes_on else None
        if own and stands:
            own.save(*stands)
        for epoch in epochs:
            assert isinstance(work, Train), "others tell of none"
            here.on_epoch(work.name, epoch)
        return found

    def _task(self, here: Here, work: Train | Judge) -> Any:
        gpus = here.team.accelerator != "cpu" and any(node.get("GPU") for node in self._nodes())
        if here.team.accelerator == "cuda" and not gpus:
            raise UsageError("--accelerator cuda: no node of the Ray cluster has a GPU; use cpu or auto")
        cores = self._cores()
        start = Path(work.start.file).read_bytes() if isinstance(work, Train) and work.start else None
        options = {"num_cpus": cores, "num_gpus": int(gpus), "max_retries": RETRIES}
        images, plain = self._shared(here.images), portable(here)
        own = here.store(work.name) if here.goes_on else None
        task = self.ray.remote(train_there).options(**options)
        return task.remote(plain, images, work, start, own and own.load(), cores, version("surgenas"))

    def _nodes(self) -> list[dict[str, float]]:
        """What each node has."""
        return [node["Resources"] for node in self.ray.nodes() if node["Alive"]]

    def _cores(self) -> int:
        """How many cores a training takes."""
        cores = min(torch.get_num_threads(), max(int(node.get("CPU", 0)) for node in self._nodes()))
        if not cores:
            raise UsageError("no node of the Ray cluster has processors to train on; start one without --num-cpus 0")
        return cores

    def room(self) -> int:
        """How many trainings it does at once."""
        return sum(int(node.get("CPU", 0)) // self._cores() for node in self._nodes())

    def known_as(self) -> dict[str, str]:
        """The environment of other processes here that are to use it, too."""
        if self.address.startswith(SCHEME):
            return {}
        return {"RAY_ADDRESS": self.ray.get_runtime_context().gcs_address}

    def _shared(self, images: Images) -> Any:
        """These images in Ray's object store, where they are put once."""
        if id(images) not in self._put:
            self._put[id(images)] = (images, self.ray.put(images))
        return self._put[id(images)][1]

    # --- answers

    def get(self, answer: Any, whose: str, check: Callable[[], None] = lambda: None) -> Any:
        """What a task returns; `check` is called while it is waited for. Raises the error of ours that it raised, and
        EnvironmentFault if its node is gone."""
        try:
            while not self.ray.wait([answer], timeout=LOOK_S)[0]:
                check()
                self._check_head()
            return self.ray.get(answer)
        except self.ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, SurgenasError):
                raise error.cause from error
            raise self._without(error) or error from error.cause
        except self.ray.exceptions.RayError as error:
            raise self._without(error) or EnvironmentFault(
                f"{whose} is gone ({type(error).__name__}); what was finished is kept: start it again, and `surgenas "
                "resume` goes on"
            ) from error

    def _without(self, error: Exception) -> EnvironmentFault | None:
        """What to say if a node lacks a package: Ray tells it as an error of the task, or as the death of an actor."""
        lacks = re.findall(r"ModuleNotFoundError: (No module named '[\w.]+')", str(error))
        if not lacks:
            return None
        return EnvironmentFault(f"a node of the Ray cluster: {lacks[0]}; install there what is installed here")

    def close(self) -> None:
        """Leave the cluster; what it still does for this process ends."""
        self.ray.shutdown()


def _show_token(address: str) -> None:
    """Have Ray show its token at a head elsewhere, if there is one: a head that finds a token asks for it, but Ray
    2.60's client shows none unless it is told to, before it is imported (docs/cluster.md)."""
    if address.startswith(SCHEME) and (
        {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & set(os.environ) or (Path.home() / ".ray" / "auth_token").is_file()
    ):
        os.environ.setdefault("RAY_AUTH_MODE", "token")


def _name(work: Train | Judge) -> str:
    return f"{work.name}/{work.key}" if isinstance(work, Train) else work.key


class OnRay:
    """An engine that trains on a cluster, and does the rest here."""

    def __init__(self, here: Here, cluster: Cluster) -> None:
        self.here, self.cluster = here, cluster

    def expect(self, works: Sequence[Work]) -> None:
        """Begin all trainings of these at once."""
        self.cluster.begin(self.here, works)

    def perform(self, work: Work) -> Any:
        """The result of this work."""
        if isinstance(work, (Train, Judge)):
            return self.cluster.finish(self.here, work)
        return self.here.perform(work)
