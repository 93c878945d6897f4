"""What of a network can a formula count? Its layers, if next to all that it computes is in layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import nn

from surgenas.core.cost import Cost, Failure
from surgenas.core.errors import UsageError
from surgenas.core.progress import Progress
from surgenas.hardware.target import Job
from surgenas.nn.cost import LayerWork, work_of

COVERED = 0.99
"""The share of a network's MACs that its layers must account for: what is not counted would cost nothing."""


def count_layers(job: Job, tool: str) -> tuple[nn.Module, list[LayerWork]]:
    """A job's network and the work of its layers. tool: who counts, for messages.

    Raises UsageError for a network that cannot be looked into or is not made of layers.
    """
    network = job.module
    try:
        total, works = work_of(network, job.input_shape)
    except (RuntimeError, ValueError) as error:
        why = (str(error).splitlines() or ["no reason given"])[0]
        raise UsageError(f"{job.key} cannot take an image of {job.input_shape}: {why}") from error
    if (covered := sum(work.macs for work in works)) < COVERED * total or not works:
        share = 1 - covered / total if total else 1.0
        raise UsageError(f"{job.key}: {share:.0%} of its MACs are in no convolution or linear layer, which is all that "
                         f"a {tool} counts")  # fmt: skip
    return network, works


def price_each(jobs: Sequence[Job], price: Callable[[Job], Cost | Failure], progress: Progress) -> list[Cost | Failure]:
    """What each job costs, one after the other; progress may stop it in between."""
    found = []
    with progress.task("estimate", len(jobs)) as task:
        for job in jobs:
            progress.check()
            found.append(price(job))
            task.advance()
    return found
