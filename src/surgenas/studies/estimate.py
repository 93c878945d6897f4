"""What does a latency table say of an architecture? Nothing is measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from surgenas.core import moves
from surgenas.core.architecture import Architecture, read_architecture
from surgenas.core.space import Space
from surgenas.methods.indicators import PAPER_TABLE, paper_runtime
from surgenas.predictors.table import read_latency_table
from surgenas.spaces import make_space, space_of
from surgenas.spaces.single_path import SinglePath


def estimate(space: str, table: Path, arch: str, layout: str = "") -> dict[str, Any]:
    """`exact_ms`: the sum of the table's entries; in the single_path space also `paper_ms`, by the paper's formula.

    arch: a file or a run folder, which tell their space themselves, or the notation of this one.
    """
    made = make_space(space, {"layout": layout} if layout else {})
    if Path(arch).exists():
        found = read_architecture(arch)
        made = space_of(found)
    else:
        found = made.parse(arch)
    predictor = read_latency_table(made, table)
    path = moves.indices(made, found)
    weight_LK = predictor.weight_LK.double()
    layers: list[dict[str, Any]] = [
        {"name": choice.name, "operator": gene, "ms": float(row[k])}
        for choice, gene, row, k in zip(made.choices, found.genes, weight_LK, path, strict=True)
    ]
    exact = predictor.bias + sum(row["ms"] for row in layers)
    return {
        "architecture": str(found),
        "exact_ms": exact,
        **_paper(made, found, weight_LK, predictor.bias),
        "fixed_ms": predictor.bias,
        "layers": layers,
    }


def _paper(space: Space, arch: Architecture, weight_LK: torch.Tensor, fixed_ms: float) -> dict[str, float]:
    options = space.choices[0].options
    if not isinstance(space, SinglePath):
        return {}
    decisions_LD = space.hard[list(moves.indices(space, arch))].nan_to_num(0.0).double()
    table = {name: weight_LK[:, options.index(name)] for name in PAPER_TABLE}
    return {"paper_ms": fixed_ms + float(paper_runtime(decisions_LD, table))}
