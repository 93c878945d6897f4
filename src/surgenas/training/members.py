"""Processes that train at another's word: how they meet the one that leads, hear what to do, and end."""

from __future__ import annotations

import atexit
import re
import signal
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import distributed as dist
from torch.distributed import Store, TCPStore  # type: ignore[attr-defined]

from surgenas.core.errors import EnvironmentFault
from surgenas.training.fabric import Seat, seated_fabric, share_of_cores

LONG = timedelta(days=30)
"""How long a process waits to be told something: the leader may measure for hours in between."""
HERE = "127.0.0.1"
LOST = (
    "one of the processes that train together ended by itself, or was killed; what was finished is kept: `surgenas "
    "resume` goes on, with fewer --processes if memory is short"
)
_LOST = re.compile(r"gloo/transport|Connection (closed|reset|refused)|Broken pipe|NCCL|Socket Timeout")


class Line:
    """The connection between all processes, the leader's end or another.

    seat: of this process. store: where they meet; None for where torchrun says. busy: whether the others are in the
    middle of something, and do not listen.
    """

    def __init__(self, seat: Seat, store: Store | None = None) -> None:
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        dist.init_process_group(backend, rank=seat.rank, world_size=seat.count, store=store)
        self.group = dist.new_group(backend="gloo", timeout=LONG)
        self.busy = False

    def say(self, what: Any) -> None:
        """Tell all others, who listen."""
        dist.broadcast_object_list([what], src=0, group=self.group)  # type: ignore[arg-type]

    def hear(self) -> Any:
        """What the leader says next."""
        heard: list[Any] = [None]
        dist.broadcast_object_list(heard, src=0, group=self.group)  # type: ignore[arg-type]
        return heard[0]

    def hang_up(self) -> None:
        """Let the others go. Those that do not listen end when they miss this process."""
        if not dist.is_initialized():
            return
        if not self.busy:
            with suppress(RuntimeError):  # one that is lost needs not be told
                self.say(None)
        dist.destroy_process_group()


@lru_cache(maxsize=1)
def joined(seat: Seat) -> Line:
    """The line of a process that torchrun started as the leader, until that ends."""
    line = Line(seat)
    atexit.register(line.hang_up)
    return line


def take_part() -> bool:
    """Whether torchrun started this process as one that does not lead; then it has done all that it was told to. One
    that leads meets the others now, which do not wait long for that.

    Raises EnvironmentFault if the leader is gone, UsageError as of `Seat.given`."""
    seat = Seat.given()
    if seat is None:
        return False
    if seat.rank == 0:
        joined(seat)
        return False
    listen(seat)
    return True


def member(index: int, count: int, port: int) -> None:
    """A process that a leader on the same machine started; Ctrl-C is the leader's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    store = TCPStore(HERE, port, is_master=False)
    store.set(arrival(index + 1), "here")
    listen(Seat(index + 1, count, index + 1, count), store)


def arrival(rank: int) -> str:
    """What a process writes where they meet, when it is there."""
    return f"surgenas/{rank}"


def listen(seat: Seat, store: Store | None = None) -> None:
    """Do what the leader says until it says that there is nothing more. store: as of `Line`."""
    kept: dict[int, object] = {}
    fabric: Fabric | None = None
    try:
        line = Line(seat, store)
        with share_of_cores(seat):
            while (said := line.hear()) is not None:
                accelerator, work, places, fresh = said
                fabric = fabric or seated_fabric(accelerator, seat)
                kept |= fresh
                work(fabric, *(kept[place] for place in places))
        dist.destroy_process_group()
    except RuntimeError as error:
        if not is_lost(error):
            raise
        raise EnvironmentFault(LOST) from error


def is_lost(error: Exception) -> bool:
    """Whether an error says that another process is not there."""
    return isinstance(error, dist.DistError) or _LOST.search(str(error)) is not None
