"""How many processor cores are there, and how many of them may this process use? A container may be given fewer."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

Read = Callable[[str], str | None]
CGROUPS = "/sys/fs/cgroup"


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text()
    except OSError:
        return None


def machine_cores() -> int:
    """All cores of the machine, whoever may use them: what names it, and what shares of its time are counted in."""
    return os.cpu_count() or 1


def usable_cores(read: Read = _read, permitted: int | None = None) -> int:
    """How many cores this process may keep busy at once, at least 1.

    Those that it is permitted to run on, but no more than its control groups (version 1 or 2) give it time for. A part
    of a core does not count. read: from a path to the text of that file, or None. permitted: None to ask the system.
    """
    if permitted is None:
        permitted = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else machine_cores()
    quotas = [quota for folder in _groups(read) if (quota := _quota(folder, read)) is not None]
    return max(1, int(min([permitted, *quotas])))


def _groups(read: Read) -> list[str]:
    """The folders that may limit this process: of its control group and of all around it.

    The two outermost are always among them, since in a container a group's path may be that of the host.
    """
    found = [CGROUPS, f"{CGROUPS}/cpu"]
    for line in (read("/proc/self/cgroup") or "").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers and "cpu" not in controllers.split(","):
            continue
        folder = f"{CGROUPS}/cpu" if controllers else CGROUPS
        for part in filter(None, path.split("/")):
            folder = f"{folder}/{part}"
            found.append(folder)
    return found


def _quota(folder: str, read: Read) -> float | None:
    """The cores whose time a control group gives; None if it does not limit them, or does not say."""
    whole = read(f"{folder}/cpu.max")  # version 2: "QUOTA PERIOD", or "max PERIOD"
    fields = whole.split() if whole else [read(f"{folder}/cpu.cfs_{name}_us") or "" for name in ("quota", "period")]
    try:
        quota, period = (float(field) for field in fields)
    except ValueError:
        return None
    return quota / period if quota > 0 and period > 0 else None  # version 1 says -1 for no limit
