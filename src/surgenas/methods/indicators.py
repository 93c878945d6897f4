"""Two parts of Single-Path NAS that work on its decisions: the dropout of decisions in the warm-up, and the paper's
formula of the runtime (docs/methods/single_path.md, 7 and docs/methods/single_path.md, 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from surgenas.nn.superkernel import E3, E6, K5

PAPER_TABLE = ("k3e6", "k5e3", "k5e6")
"""The operators whose latencies the paper's formula uses."""


def draw_dropout(
    kind: str, keep: float, skippable: Sequence[bool], decisions: int, generator: torch.Generator
) -> Tensor:
    """Random factors (L, D) that decisions are multiplied by in the warm-up; the decision to keep a layer that cannot
    be skipped is never dropped.

    kind: "equal" draws 0 or 1 so that operators have the same chance: skip, e3 and e6 a third each, k3 and k5 a half,
    SE ratios a third. "authors" draws 0 or 1 / keep, with probability `keep` for the latter. "none" is 1 everywhere.
    skippable: of each layer, whether it may be skipped. decisions: D, decisions of a layer.
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
    """The paper's runtime in ms, a scalar, summed over the L searched layers; differentiable.

    decisions_LD: decisions in 0..1. table: for each operator of PAPER_TABLE its latencies (L,) in ms. With R_{k,e} the
    latency of kernel k and expansion e:

    R_e = d3e (R_{5,3} + d6e (R_{5,6} - R_{5,3})), rho = R_{3,6} / R_{5,6}, R_l = rho R_e + (1 - rho) R_e d5
    """
    d5, d3e, d6e = decisions_LD[:, K5], decisions_LD[:, E3], decisions_LD[:, E6]
    R36, R53, R56 = (table[name] for name in PAPER_TABLE)
    R_e = d3e * (R53 + d6e * (R56 - R53))
    rho = R36 / R56
    return (rho * R_e + (1 - rho) * R_e * d5).sum()
