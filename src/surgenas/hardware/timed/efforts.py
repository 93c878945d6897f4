"""How much is measured for an effort, and what becomes of the others when one network cannot be measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from surgenas.core.cost import Cost, Effort, Failure
from surgenas.core.errors import EnvironmentFault, Interrupted, SurgenasError
from surgenas.hardware.target import Job
from surgenas.hardware.timed.link import DeviceGone
from surgenas.hardware.timed.measurement import Measurement
from surgenas.hardware.timed.timing import Protocol

QUICK = Protocol(rounds=10, max_rounds=40, half_width=0.04, budget_s=15, patience_s=20)
CLAIM = Protocol(
    max_rounds=80, half_width=0.015, budget_s=15, patience_s=45, duplicates=2, fresh=True, steady=5, campaigns=3
)
"""Three campaigns, each in a fresh process and until the interval is narrow, two networks measured twice, very small
ones back to back besides."""
PROTOCOLS: Mapping[Effort, Protocol] = {
    Effort.LEARN: QUICK,
    Effort.PATIENT: Protocol(rounds=10, max_rounds=150, half_width=0.05, backoff_s=(0.2, 0.4, 0.8)),
    Effort.CLAIM: CLAIM,
    Effort.CONFIRM: replace(CLAIM, campaigns=5),  # very small networks differ by 1 % between processes (docs/log.md)
}
LOOK = Protocol(rounds=60, max_rounds=60, half_width=0.0, warmup_s=0.1, backoff_s=(), pause_s=0.02)
"""How a reference is looked at for the first time: over two seconds, since a machine that others share is slow for a
moment now and then. Every campaign is a further look."""


def price_each(measure: Callable[[Sequence[Job]], list[Measurement]], jobs: Sequence[Job]) -> list[Cost | Failure]:
    """The measurements of all jobs, or why there is none, in their order.

    If a campaign fails, its networks are measured again in two smaller ones. Raises EnvironmentFault if the machine is
    at fault, as with a full disk, and Interrupted if whoever listens wants no more.
    """
    try:
        return list(measure(jobs)) if jobs else []
    except (EnvironmentFault, Interrupted):
        raise
    except DeviceGone as error:
        return [Failure(job.key, error) for job in jobs]
    except SurgenasError as error:
        if len(jobs) == 1:
            return [Failure(jobs[0].key, error)]
        middle = len(jobs) // 2
        return price_each(measure, jobs[:middle]) + price_each(measure, jobs[middle:])
