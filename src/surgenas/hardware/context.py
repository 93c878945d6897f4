"""What state was the machine in while we measured? (docs/measurement.md, 3). What is unknown is None."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from surgenas.core.cores import machine_cores


def host_fingerprint() -> str:
    """A short name for this host, made of its processor, its cores and an identity that survives reboots."""
    identity = _read("/etc/machine-id") or platform.node()
    digest = hashlib.sha256(f"{identity}/{processor_name()}/{machine_cores()}".encode()).hexdigest()
    return f"{platform.machine()}-{machine_cores()}c-{digest[:10]}"


def processor_name() -> str:
    """The name of the processor, as the system reports it."""
    for line in (_read("/proc/cpuinfo") or "").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@cache
def gpu_name() -> str | None:
    """The name of the first NVIDIA GPU; None if there is none."""
    return _nvidia("name")


def _nvidia(field: str) -> str | None:
    """What the driver says of one field of the first visible GPU; None if there is no GPU or no answer."""
    if not shutil.which("nvidia-smi"):
        return None
    first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    query = ["nvidia-smi", f"--id={first}", f"--query-gpu={field}", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return said.strip() or None


def snapshot() -> dict[str, Any]:
    """The state of the machine now: load, pressure, steal, temperature, frequency and free memory.

    Of a GPU also its SM clock, its temperature and why it is throttled. What cannot be read is None.
    """
    frequency = psutil.cpu_freq()
    return {
        "load_1m": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "pressure_cpu_some_avg10": _pressure(),
        "steal_percent": getattr(psutil.cpu_times_percent(), "steal", None),
        "temperature_c": _temperature(),
        "frequency_mhz": frequency.current if frequency else None,
        "memory_available_bytes": psutil.virtual_memory().available,
        "gpu": _nvidia("clocks.sm,temperature.gpu,clocks_throttle_reasons.active"),
    }


def processor_seconds() -> tuple[float, float]:
    """(seconds of all cores since the machine started, seconds of them that other programs used or the host stole)."""
    times = psutil.cpu_times()._asdict()
    total = sum(times.values()) - times.get("guest", 0.0) - times.get("guest_nice", 0.0)  # they are in user and nice
    idle = times["idle"] + times.get("iowait", 0.0)
    return total, total - idle - sum(psutil.Process().cpu_times()[:4])  # ours, and of compilers that we started


def share_used_elsewhere(before: tuple[float, float], after: tuple[float, float]) -> float:
    """The share (0 to 1) of all cores' time that others used between two results of `processor_seconds`."""
    had, used = after[0] - before[0], after[1] - before[1]
    return min(1.0, max(0.0, used / had)) if had > 0 else 0.0


def crowded_share(used_elsewhere: float, threads: int) -> float:
    """The share (0 to 1) of the cores' time that `threads` needed, but others had; 0 if enough cores were left."""
    cores = machine_cores()  # whose time the share is of
    return max(0.0, (cores * used_elsewhere + threads - cores) / threads)


def _temperature() -> float | None:
    """The temperature of the hottest sensor in degrees Celsius; None where there is no sensor."""
    if not hasattr(psutil, "sensors_temperatures"):  # on macOS and Windows
        return None
    sensors = psutil.sensors_temperatures()
    return max((sensor.current for found in sensors.values() for sensor in found), default=None)


def _pressure() -> float | None:
    text = _read("/proc/pressure/cpu")
    if not text:
        return None
    fields = dict(part.split("=") for part in text.splitlines()[0].split()[1:])
    return float(fields["avg10"])


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return None
