"""Processes that train together: those that `--processes` asks for, or those that torchrun started on several machines.

One of them, the leader, does a whole run. The others wait for it to say what all of them do at once, and do nothing
else: no measuring, no files. Fabric trains with DDP in all of them. What is said is pickled, and read by processes of
the same run alone.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cached_property
from multiprocessing.connection import wait
from typing import Any, TypeVar

import torch
from lightning_fabric import Fabric
from torch import distributed as dist
from torch.distributed import Store, TCPStore  # type: ignore[attr-defined]
from torch.multiprocessing.spawn import ProcessContext, ProcessExitedException, ProcessRaisedException, start_processes

from surgenas.core import errors
from surgenas.core.errors import EnvironmentFault, UsageError
from surgenas.training.fabric import Seat, check_accelerator, make_fabric, seated_fabric, share_of_cores

LONG = timedelta(days=30)
"""How long a process waits to be told something: the leader may measure for hours in between."""
GRACE_S = 5.0
"""How long a process that lost the others may take to end."""
RAISED = re.compile(r"^surgenas\.core\.errors\.(\w+): (.*)$", re.MULTILINE)
"""The line of a traceback that says an error of ours."""
LOST = (
    "one of the processes that train together ended by itself, or was killed; what was finished is kept: `surgenas "
    "resume` goes on, with fewer --processes if memory is short"
)
HERE = "127.0.0.1"
Answer = TypeVar("Answer")


class Team:
    """All processes that train together, led by this one; it alone where one is enough. They are started when they are
    first needed, and end with `close`.

    count: how many there are.
    """

    def __init__(self, accelerator: str = "auto", processes: int = 1) -> None:
        self.given = Seat.given()
        if self.given and processes > 1:
            raise UsageError(f"--processes {processes}: torchrun started {self.given.count} processes; leave it out")
        self.accelerator = accelerator
        self.count = self.given.count if self.given else processes
        self._others: ProcessContext | None = None
        self._kept: dict[int, object] = {}
        if self.given:
            assert self._waiting, "they are started already, and do not wait long to meet"

    def run(self, work: Callable[..., Answer], *kept: Any, **own: Any) -> Answer:
        """Have all processes call `work(fabric, *kept)`, and return what it gives in this one.

        kept: what is sent to the others once, and known to them when it is passed again. own: further arguments in this
        process. Raises an error of ours that one of the others raised, and EnvironmentFault if one was killed.
        """
        if self.count == 1:
            return work(make_fabric(self.accelerator), *kept, **own)
        seat, fabric = self._seat, self._fabric
        with self._watched(), share_of_cores(seat):
            fresh = {id(value): value for value in kept if id(value) not in self._kept}
            self._kept |= fresh
            _say(self._waiting, (self.accelerator, work, [id(value) for value in kept], fresh))
            return work(fabric, *kept, **own)

    def check_batch(self, images: int) -> None:
        """Raise UsageError if a batch has fewer images than there are processes."""
        if images < self.count:
            raise UsageError(
                f"{self.count} processes share a batch of {images} images; ask for fewer of them or a larger --batch"
            )

    def check(self) -> None:
        """Raise EnvironmentFault if one of the others has ended, which is otherwise noticed when it is next needed."""
        if self._others and wait(list(self._others.sentinels), timeout=0):
            self._tell_why()

    def close(self) -> None:
        """End the other processes."""
        if "_waiting" in self.__dict__ and dist.is_initialized():
            with suppress(RuntimeError):  # one that is lost needs not be told
                _say(self._waiting, None)
            dist.destroy_process_group()
        for process in self._others.processes if self._others else ():
            process.join(GRACE_S)
            process.kill()
        self._others, self._kept = None, {}
        for name in ("_seat", "_waiting", "_fabric"):
            self.__dict__.pop(name, None)

    # --- the others

    @cached_property
    def _seat(self) -> Seat:
        return self.given or Seat(0, self.count, 0, self.count)

    @cached_property
    def _waiting(self) -> dist.ProcessGroup:
        """The group in which the others wait for what is said; they are there now."""
        if self.given:
            return _connect(self.given)
        check_accelerator(self.accelerator, self.count)
        store = TCPStore(HERE, 0, is_master=True, wait_for_workers=False)
        self._others = start_processes(_member, (self.count, store.port), self.count - 1, join=False, daemon=True)
        with self._watched():
            return _connect(self._seat, store)

    @cached_property
    def _fabric(self) -> Fabric:
        assert self._waiting, "the others are there"
        return seated_fabric(self.accelerator, self._seat)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Where another process is not there any more, what it ended with is raised."""
        try:
            yield
        except RuntimeError as error:
            if not _is_lost(error):
                raise
            if self._others:
                wait(list(self._others.sentinels), timeout=GRACE_S)
                self._tell_why()
            raise EnvironmentFault(LOST) from error

    def _tell_why(self) -> None:
        assert self._others is not None, "they were started"
        others, self._others = self._others, None
        dist.destroy_process_group()  # so that those that are left end, too
        try:
            others.join(timeout=0, grace_period=GRACE_S)
        except ProcessRaisedException as error:
            for name, text in RAISED.findall(str(error)):
                if text != LOST:
                    raise getattr(errors, name)(text) from error
            if not _is_lost(error):
                raise
        except ProcessExitedException:
            pass  # killed
        raise EnvironmentFault(LOST)


def take_part() -> bool:
    """Whether torchrun started this process as one that does not lead; then it has done all that it was told to.

    Raises EnvironmentFault if the leader is gone."""
    seat = Seat.given()
    if seat is None or seat.rank == 0:
        return False
    _listen(seat)
    return True


def _member(index: int, count: int, port: int) -> None:
    """A process that a leader on the same machine started; Ctrl-C is the leader's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _listen(Seat(index + 1, count, index + 1, count), TCPStore(HERE, port, is_master=False))


def _listen(seat: Seat, store: Store | None = None) -> None:
    """Do what the leader says until it says that there is nothing more. store: as of `_connect`."""
    kept: dict[int, object] = {}
    fabric: Fabric | None = None
    try:
        waiting = _connect(seat, store)
        with share_of_cores(seat):
            while (said := _hear(waiting)) is not None:
                accelerator, work, places, fresh = said
                fabric = fabric or seated_fabric(accelerator, seat)
                kept |= fresh
                work(fabric, *(kept[place] for place in places))
        dist.destroy_process_group()
    except RuntimeError as error:
        if not _is_lost(error):
            raise
        raise EnvironmentFault(LOST) from error


def _connect(seat: Seat, store: Store | None = None) -> dist.ProcessGroup:
    """Meet the other processes; the group in which they wait for the leader. store: where they meet; None for where
    torchrun says."""
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, rank=seat.rank, world_size=seat.count, store=store)
    waiting = dist.new_group(backend="gloo", timeout=LONG)
    assert isinstance(waiting, dist.ProcessGroup), "this process is in it"
    return waiting


def _say(waiting: dist.ProcessGroup, what: Any) -> None:
    dist.broadcast_object_list([what], src=0, group=waiting)


def _hear(waiting: dist.ProcessGroup) -> Any:
    heard: list[Any] = [None]
    dist.broadcast_object_list(heard, src=0, group=waiting)
    return heard[0]


def _is_lost(error: Exception) -> bool:
    """Whether an error says that another process is not there."""
    return isinstance(error, dist.DistError) or any(word in str(error) for word in ("gloo", "onnection", "NCCL"))
