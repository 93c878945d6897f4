"""Which operators suit which device? Writes the remaining spaces as files for `surgenas search --space`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from surgenas.core.architecture import Setting, SpaceSpec
from surgenas.core.capabilities import Selectable, require
from surgenas.core.errors import UsageError
from surgenas.core.files import make_folder, write_atomic
from surgenas.core.progress import Progress
from surgenas.core.record import Record
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import Target
from surgenas.methods.selection import OperatorChoice, select
from surgenas.runs.pool import describe_selection, operator_costs
from surgenas.runs.results import OperatorRow
from surgenas.spaces import make_space, settings_of

OTHER_B, OTHER_KEEP = (0.5, 1.0, 2.0), (2, 4, 8)
"""Other settings that the choice is repeated with, to show how much depends on them."""


@dataclass(frozen=True)
class DeviceOperators(Record):
    """The operators selected for a device.

    device: its key. space: the file of the remaining space, for `search(space=...)`. pool: as a setting of the space.
    others: the pools that other settings give, by those settings. operators: all operators, and why some were dropped.
    """

    device: str
    space: str
    pool: str
    others: Mapping[str, str]
    operators: tuple[OperatorRow, ...]


@dataclass(frozen=True)
class Operators(Record):
    """The selections, by the names of the devices."""

    layout: str
    resolution: int
    keep: int
    b: float
    devices: Mapping[str, DeviceOperators]
    report: str = ""


def choose(
    devices: Sequence[str],
    out: Path,
    *,
    space: str,
    layout: str,
    resolution: int,
    width: float,
    choice: OperatorChoice,
    seed: int,
    progress: Progress,
) -> Operators:
    """Select operators for each device, and write space files and operators.json to `out`.

    Raises UsageError for a space without a pool, and for a `keep` or `b` that makes no sense.
    """
    takes = settings_of(space)
    usual: dict[str, Setting] = {"layout": layout, "width": width}
    kept = {name: value for name, value in usual.items() if name in takes}
    made = make_space(space, {**kept, **({"resolution": resolution} if "resolution" in takes else {})})
    pool = require(made, Selectable)
    if not 1 <= choice.keep <= len(made.choices[0].options):
        raise UsageError(f"--keep {choice.keep}: expected 1 to {len(made.choices[0].options)}, the size of the pool")
    if not math.isfinite(choice.b):
        raise UsageError(f"--b {choice.b}: expected a number, for example 1")
    targets = {name: make_target(name) for name in devices}
    make_folder(out)
    left = SpaceSpec.of(space, kept)
    found = {name: _of_device(pool, left, name, t, out, choice, seed, progress) for name, t in targets.items()}
    told = {name: device.to_json() for name, device in found.items()}
    write_atomic(out / "operators.json", json.dumps(told, indent=1).encode())
    return Operators(layout, made.input_shape[1], choice.keep, choice.b, found)


def _of_device(
    pool: Selectable, left: SpaceSpec, name: str, target: Target, out: Path, choice: OperatorChoice, seed: int,
    progress: Progress,
) -> DeviceOperators:  # fmt: skip
    costs = operator_costs(pool, target, seed=seed, progress=progress)
    chosen = select(costs, choice)
    file = out / f"space-{re.sub('[^A-Za-z0-9]+', '-', name)}.json"
    spec = SpaceSpec.of(left.name, {**dict(left.settings), "pool": chosen.pool})
    write_atomic(file, spec.to_json().encode())
    others = {f"b {b:g}": select(costs, replace(choice, b=b)).pool for b in OTHER_B}
    others |= {
        f"keep {keep}": select(costs, replace(choice, keep=min(keep, len(costs.names)))).pool for keep in OTHER_KEEP
    }
    return DeviceOperators(target.key, str(file), chosen.pool, others, describe_selection(costs, chosen))
