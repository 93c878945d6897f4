"""Processes that train together: those that `--processes` asks for, or those that torchrun started on several machines.

One of them, the leader, does a whole run. The others wait for it to say what all of them do at once, and do nothing
else (members.py): no measuring, no files. Fabric trains with DDP in all of them. What is said is pickled, and read by
processes of the same run alone.
"""

from __future__ import annotations

import atexit
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from multiprocessing import current_process
from multiprocessing.connection import wait
from typing import Any, TypeVar

from lightning_fabric import Fabric
from torch import distributed as dist
from torch.distributed import TCPStore  # type: ignore[attr-defined]
from torch.multiprocessing.spawn import ProcessContext, ProcessExitedException, ProcessRaisedException, start_processes

from surgenas.core import errors
from surgenas.core.errors import EnvironmentFault, UsageError
from surgenas.training.fabric import Seat, check_accelerator, make_fabric, seated_fabric, share_of_cores
from surgenas.training.members import HERE, LOST, Line, arrival, is_lost, joined, member

GRACE_S = 5.0
"""How long a process that lost the others may take to end."""
RAISED = re.compile(r"^surgenas\.core\.errors\.(\w+): (.*)$", re.MULTILINE)
"""The line of a traceback that says an error of ours."""
GUARD = 'in a script, what trains with several processes stands below `if __name__ == "__main__":`'
Answer = TypeVar("Answer")


class Team:
    """All processes that train together, led by this one; it alone where one is enough. They are started when they are
    first needed, and end with `close`.

    count: how many there are. Raises UsageError if both torchrun and the user say that, and in a process that was
    started to help but runs its leader's script.
    """

    def __init__(self, accelerator: str = "auto", processes: int = 1) -> None:
        self.given = Seat.given()
        if self.given and processes > 1:
            raise UsageError(f"--processes {processes}: torchrun started {self.given.count} processes; leave it out")
        if processes > 1 and getattr(current_process(), "_inheriting", False):
            raise UsageError(GUARD)
        self.accelerator = accelerator
        self.count = self.given.count if self.given else processes
        self._others: ProcessContext | None = None
        self._kept: dict[int, object] = {}

    def run(self, work: Callable[..., Answer], *kept: Any, **own: Any) -> Answer:
        """Have all processes call `work(fabric, *kept)`, and return what it gives in this one.

        kept: what is sent to the others once, and known to them when it is passed again. own: further arguments in this
        process. Raises an error of ours that one of the others raised, and EnvironmentFault if one was killed.
        """
        if self.count == 1:
            return work(make_fabric(self.accelerator), *kept, **own)
        line, fabric = self._line, self._fabric
        with self._watched(), share_of_cores(self._seat):
            fresh = {id(value): value for value in kept if id(value) not in self._kept}
            self._kept |= fresh
            line.busy = True  # until all have done it: whoever is interrupted in between cannot tell the others
            line.say((self.accelerator, work, [id(value) for value in kept], fresh))
            found = work(fabric, *kept, **own)
            line.busy = False
            return found

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
        """End the processes that were started; those of torchrun listen on until this one ends."""
        line: Line | None = self.__dict__.get("_line")
        if self._others:
            listening = line is not None and not line.busy
            if line and listening:
                line.hang_up()
            _end(self._others, GRACE_S if listening else 0.0)
            if line:
                line.hang_up()
        self._others, self._kept = None, {}
        for name in ("_line", "_fabric"):
            self.__dict__.pop(name, None)

    # --- the others

    @property
    def _seat(self) -> Seat:
        return self.given or Seat(0, self.count, 0, self.count)

    @cached_property
    def _line(self) -> Line:
        """The line on which the others listen; they are there now."""
        if self.given:
            return joined(self.given)
        check_accelerator(self.accelerator, self.count)
        store = TCPStore(HERE, 0, is_master=True, wait_for_workers=False)
        self._others = start_processes(member, (self.count, store.port), self.count - 1, join=False)
        atexit.register(self.close)  # they are no daemons, which could not start processes that decode images
        arrivals = [arrival(rank) for rank in range(1, self.count)]
        while not store.check(arrivals):
            if wait(list(self._others.sentinels), timeout=0.1):
                self._tell_why(f"a process that was to train along ended as it began; {GUARD}")
        with self._watched():
            return Line(self._seat, store)

    @cached_property
    def _fabric(self) -> Fabric:
        assert self._line, "the others are there"
        return seated_fabric(self.accelerator, self._seat)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Where another process is not there any more, what it ended with is raised."""
        try:
            yield
        except RuntimeError as error:
            if not is_lost(error):
                raise
            if self._others:
                wait(list(self._others.sentinels), timeout=GRACE_S)
                self._tell_why()
            raise EnvironmentFault(LOST) from error

    def _tell_why(self, otherwise: str = LOST) -> None:
        """Raise what one of the others ended with; otherwise: what is said if it did not say that itself."""
        assert self._others is not None, "they were started"
        others, self._others = self._others, None
        if dist.is_initialized():
            dist.destroy_process_group()  # so that those that are left end, too
        try:
            others.join(timeout=0, grace_period=GRACE_S)
        except ProcessRaisedException as error:
            for name, text in RAISED.findall(str(error)):
                if text != LOST:
                    raise getattr(errors, name)(text) from error
            if not is_lost(error):
                raise
        except ProcessExitedException:
            pass  # killed, or it never came to our code
        raise EnvironmentFault(otherwise)


def _end(others: ProcessContext, patience_s: float) -> None:
    """Wait so long for processes to end by themselves, and kill those that are left."""
    for process in others.processes:
        process.join(patience_s)
        process.kill()
        process.join()
