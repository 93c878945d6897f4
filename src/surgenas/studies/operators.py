"""The operators that devices like, side by side, and the spaces that are left: files for `surgenas search --space`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from surgenas.core.architecture import SpaceSpec
from surgenas.core.errors import UsageError
from surgenas.core.files import write_atomic
from surgenas.core.progress import Progress
from surgenas.hardware.devices import make_target
from surgenas.methods.selection import select
from surgenas.runs.steps.operators import described, operator_costs
from surgenas.spaces import make_space
from surgenas.spaces.operators import Operators

OTHER_B, OTHER_KEEP = (0.5, 1.0, 2.0), (2, 4, 8)
"""How much the choice depends on what is ours to set."""


def choose(
    devices: Sequence[str],
    out: Path,
    *,
    space: str,
    layout: str,
    resolution: int,
    width: float,
    keep: int,
    b: float,
    per_layer: bool,
    seed: int,
    progress: Progress,
) -> dict[str, Any]:
    """By device: every operator with why it was dropped, the pool, the file of the space, and what other settings would
    keep. Raises UsageError for a space without a pool, and for a `keep` that the pool does not have."""
    made = make_space(space, {"layout": layout, "resolution": resolution, "width": width})
    if not isinstance(made, Operators):
        raise UsageError(f"space {space!r} has no operators to select from; use operators or shuffle")
    if not 1 <= keep <= len(made.choices[0].options):
        raise UsageError(f"--keep {keep}: expected 1 to {len(made.choices[0].options)}, the size of the pool")
    if not math.isfinite(b):
        raise UsageError(f"--b {b}: expected a number, for example 1")
    places = {name: make_target(name) for name in devices}
    out.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {}
    for name, device in places.items():
        costs = operator_costs(made, device, seed=seed, progress=progress)
        chosen = select(costs, keep=keep, b=b, per_layer=per_layer)
        file = out / f"space-{re.sub('[^A-Za-z0-9]+', '-', name)}.json"
        left = SpaceSpec.of(space, {"layout": layout, "width": width, "pool": chosen.pool})
        write_atomic(file, left.to_json().encode())
        others = {f"b {other:g}": select(costs, keep=keep, b=other, per_layer=per_layer).pool for other in OTHER_B}
        others |= {
            f"keep {other}": select(costs, keep=min(other, len(costs.names)), b=b, per_layer=per_layer).pool
            for other in OTHER_KEEP
        }
        found[name] = {"device": device.key, "space": str(file), "pool": chosen.pool, "others": others,
                       **described(costs, chosen)}  # fmt: skip
    write_atomic(out / "operators.json", json.dumps(found, indent=1).encode())
    return {"layout": layout, "resolution": made.resolution, "keep": keep, "b": b, "devices": found}
