"""What Single-Path NAS does with its decisions besides running them: dropping some while warming up, and its runtime
formula (docs/methods/single_path.md, 7 and docs/methods/single_path.md, 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from surgenas.nn.superkernel import E3, E6, K5

DROPOUTS = ("equal", "authors", "none")
PAPER_TABLE = ("k3e6", "k5e3", "k5e6")
"""Table entries that the paper's formula uses."""


def kept(kind: str, keep: float, skippable: Sequence[bool], decisions: int, generator: torch.Generator) -> Tensor:
    """(L, D) factors for decisions, 0 or 1; as the authors have it 0 or 1 / keep.

    "equal" gives operators the same chance: skip, e3 and e6 a third each, k3 and k5 a half, SE ratios a third.
    """
    if kind == "none":
        return torch.ones(len(skippable), decisions)
    chances = [1 / 2, 2 / 3, 1 / 2, 2 / 3, 1 / 2] if kind == "equal" else [keep] * 5
    found_LD = torch.bernoulli(torch.tensor(chances[:decisions]).expand(len(skippable), -1), generator=generator)
    for row, may in zip(found_LD, skippable, strict=True):
        if not may:
            row[E3] = 1.0
    return found_LD / keep if kind == "authors" else found_LD


def paper_runtime(decisions_LD: Tensor, table: Mapping[str, Tensor]) -> Tensor:
    """The paper's runtime of the searched layers, each table entry (L,) ms:

    R_e = d3e (R_{5,3} + d6e (R_{5,6} - R_{5,3})), rho = R_{3,6} / R_{5,6}, R_l = rho R_e + (1 - rho) R_e d5
    """
    d5, d3e, d6e = decisions_LD[:, K5], decisions_LD[:, E3], decisions_LD[:, E6]
    R36, R53, R56 = (table[name] for name in PAPER_TABLE)
    R_e = d3e * (R53 + d6e * (R56 - R53))
    rho = R36 / R56
    return (rho * R_e + (1 - rho) * R_e * d5).sum()
