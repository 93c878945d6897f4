"""Where does a training run? Fabric, for the CPU, one GPU, or a process's place among several."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy

from surgenas.core.cores import usable_cores
from surgenas.core.errors import UsageError
from surgenas.training.allocator import keep_freed_memory

ACCELERATORS = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Seat:
    """A process's place among those that train together.

    rank: its number, the leader's is 0. count: how many there are. local_rank, local_count: the same on its machine.
    """

    rank: int
    count: int
    local_rank: int
    local_count: int

    @classmethod
    def given(cls) -> Seat | None:
        """The place that torchrun gave this process; None if it did not start it, or started it alone.

        Raises UsageError if what the environment says is no place."""
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
        if any(name not in os.environ for name in (*names, "MASTER_ADDR", "MASTER_PORT")):
            return None
        said = [os.environ[name] for name in names]
        if not all(text.isdecimal() for text in said):
            pairs = " ".join(f"{name}={text}" for name, text in zip(names, said, strict=True))
            raise UsageError(f"{pairs}: expected four whole numbers, as torchrun sets them")
        seat = cls(*map(int, said))
        return seat if seat.count > 1 else None


def check_accelerator(accelerator: str, devices: int) -> None:
    """Raise UsageError for an unknown accelerator, or for more GPUs than there are."""
    if accelerator not in ACCELERATORS:
        raise UsageError(f"--accelerator {accelerator!r}: one of {', '.join(ACCELERATORS)}")
    if accelerator == "cuda" and torch.cuda.device_count() < devices:
        raise UsageError(
            f"--accelerator cuda: {devices} wanted, {torch.cuda.device_count()} found here; use cpu or auto"
        )


def make_fabric(accelerator: str) -> Fabric:
    """A Fabric for the CPU or one GPU. From here on this process keeps the memory that it frees. Errors as of
    `check_accelerator`."""
    check_accelerator(accelerator, 1)
    keep_freed_memory()
    return Fabric(accelerator=accelerator, devices=1)


def seated_fabric(accelerator: str, seat: Seat) -> Fabric:
    """A Fabric with DDP for one of several processes, which are connected already; else as `make_fabric`."""
    check_accelerator(accelerator, seat.local_count)
    keep_freed_memory()
    strategy = DDPStrategy(cluster_environment=_Seated(seat))
    nodes = seat.count // seat.local_count
    fabric = Fabric(accelerator=accelerator, devices=seat.local_count, num_nodes=nodes, strategy=strategy)
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = before or "1"  # else Fabric sets it, for all that this process starts later
    fabric.launch()
    if before is None:
        del os.environ["OMP_NUM_THREADS"]
    return fabric


class _Seated(LightningEnvironment):
    """What Fabric asks of a place among processes that found each other already."""

    creates_processes_externally = True

    def __init__(self, seat: Seat) -> None:
        super().__init__()
        self.seat = seat

    def world_size(self) -> int:
        return self.seat.count

    def global_rank(self) -> int:
        return self.seat.rank

    def local_rank(self) -> int:
        return self.seat.local_rank

    def node_rank(self) -> int:
        return self.seat.rank // self.seat.local_count


@contextmanager
def share_of_cores(seat: Seat) -> Iterator[None]:
    """Inside the block, this process computes with its share of the machine's cores, unless the environment says how
    many."""
    before = torch.get_num_threads()
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, usable_cores() // seat.local_count))
    try:
        yield
    finally:
        torch.set_num_threads(before)
