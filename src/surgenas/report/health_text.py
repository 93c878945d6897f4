"""What `surgenas doctor` prints: what works, what is missing and why, and how noisy the machine is."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from surgenas.core.cost import show_cost
from surgenas.core.units import show_seconds
from surgenas.report.words import draw
from surgenas.studies.doctor import Health, Noise


def health_text(found: Health) -> str:
    """A line for everything that was looked at, and what to do about it."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, text in _rows(found).items():
        table.add_row(name, escape(text))
    for name, why in found.devices.items():
        if why:
            table.add_row("not here", escape(f"{name}: {why.removeprefix(f'{name}: ')}"))
    todo = [f"! {advice}" for advice in found.advice] or ["nothing is in the way of a search: surgenas search"]
    return "\n".join([draw(table), *todo])


def _rows(found: Health) -> dict[str, str]:
    packages = ", ".join(f"{name} {number}" for name, number in found.packages.items())
    return {
        "packages": f"Python {found.python}, {packages}",
        "machine": f"{found.processor}, {found.cores} cores, {found.free_bytes / 1e9:.1f} GB of memory free",
        "GPU": found.gpu or "none",
        "devices": ", ".join(found.usable),
        "store": found.store or "measurements cannot be kept",
        "noise": _noise(found.noise) if found.noise else "not measured",
    }


def _noise(noise: Noise) -> str:
    used = f"other programs used {noise.used_elsewhere:.0%} of the cores"
    if noise.cost is None:
        return f"not known; {used}"
    took = f"{show_cost(noise.cost)}, in {show_seconds(noise.seconds)}"
    return f"MobileNetV2 x 0.5 at 64 px on {noise.device}: {took}; {used}"
