"""What latency does a table give an architecture? Nothing is measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from surgenas.core import moves
from surgenas.core.architecture import Architecture, read_architecture
from surgenas.core.record import Record
from surgenas.core.space import Space
from surgenas.methods.indicators import PAPER_TABLE, paper_runtime
from surgenas.predictors.table import read_latency_table
from surgenas.spaces import make_space, space_of
from surgenas.spaces.single_path import SinglePath


@dataclass(frozen=True)
class TableRow(Record):
    """A layer and its latency by the table."""

    name: str
    operator: str
    ms: float


@dataclass(frozen=True)
class TableEstimate(Record):
    """The latency of an architecture by a table. exact_ms: sum of the table's entries. paper_ms: by the paper's
    formula, only in the space single_path. fixed_ms: what no choice changes, included in both."""

    architecture: str
    exact_ms: float
    paper_ms: float | None
    fixed_ms: float
    layers: tuple[TableRow, ...]


def estimate(space: str, table: Path, arch: str, layout: str = "") -> TableEstimate:
    """The latency of an architecture by a table.

    arch: a file or a run folder, which name their space themselves; or the notation of `space`. layout: of that space;
    empty for its default. Raises UsageError for an architecture or a table that cannot be read.
    """
    made = make_space(space, {"layout": layout} if layout else {})
    if Path(arch).exists():
        found = read_architecture(arch)
        made = space_of(found)
    else:
        found = made.parse(arch)
    predictor = read_latency_table(made, table)
    path = moves.path_of(made, found)
    weight_LK = predictor.weight_LK.double()
    layers = tuple(
        TableRow(row.name, row.options[k], float(weight_K[k]))
        for row, weight_K, k in zip(made.rows, weight_LK, path, strict=True)
    )
    exact = predictor.bias + sum(row.ms for row in layers)
    return TableEstimate(str(found), exact, _paper(made, found, weight_LK, predictor.bias), predictor.bias, layers)


def _paper(space: Space, arch: Architecture, weight_LK: torch.Tensor, fixed_ms: float) -> float | None:
    options = space.choices[0].options
    if not isinstance(space, SinglePath):
        return None
    decisions_LD = space.hard[list(moves.indices(space, arch))].nan_to_num(0.0).double()
    table = {name: weight_LK[:, options.index(name)] for name in PAPER_TABLE}
    return fixed_ms + float(paper_runtime(decisions_LD, table))
