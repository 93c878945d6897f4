"""How many cores a process may use: those of the machine, of its affinity, or of its container."""

from __future__ import annotations

import os

import pytest

from surgenas.core.cores import machine_cores, usable_cores

V1 = "12:cpuset:/job\n4:cpu,cpuacct:/docker/abc\n0::/\n"
CPU = "/sys/fs/cgroup/cpu"


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, 8),
        ({"/sys/fs/cgroup/cpu.max": "max 100000\n"}, 8),
        ({"/sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2),
        ({"/sys/fs/cgroup/cpu.max": "1900000 100000\n"}, 8),
        ({"/sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1),
        ({"/sys/fs/cgroup/cpu.max": "5000 100000\n"}, 1),
        ({"/sys/fs/cgroup/cpu.max": "no number\n"}, 8),
        ({"/sys/fs/cgroup/cpu.max": ""}, 8),
        ({"/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/cpu.max": "300000 100000"}, 3),
        (
            {
                "/proc/self/cgroup": "0::/a/b\n",
                "/sys/fs/cgroup/a/cpu.max": "300000 100000",
                "/sys/fs/cgroup/a/b/cpu.max": "400000 100000",
            },
            3,
        ),
        ({f"{CPU}/cpu.cfs_quota_us": "-1\n", f"{CPU}/cpu.cfs_period_us": "100000\n"}, 8),
        ({f"{CPU}/cpu.cfs_quota_us": "250000\n", f"{CPU}/cpu.cfs_period_us": "100000\n"}, 2),
        (
            {
                "/proc/self/cgroup": V1,
                f"{CPU}/docker/abc/cpu.cfs_quota_us": "100000",
                f"{CPU}/docker/abc/cpu.cfs_period_us": "50000",
            },
            2,
        ),
        ({"/proc/self/cgroup": "nonsense\n", "/sys/fs/cgroup/cpu.max": "400000 100000"}, 4),
    ],
)
def test_of_eight_permitted_cores_a_control_group_may_give_fewer(files, cores):
    assert usable_cores(files.get, permitted=8) == cores


def test_a_process_may_be_permitted_less_than_its_group():
    assert usable_cores({"/sys/fs/cgroup/cpu.max": "400000 100000"}.get, permitted=1) == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_affinity_is_asked_of_the_system():
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_cores(lambda _: None) == 1
    finally:
        os.sched_setaffinity(0, before)
    assert 1 <= usable_cores() <= len(before) <= machine_cores()
