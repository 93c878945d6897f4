"""Which operators does each edge of a DARTS cell offer? The whole space, and the four small ones of Zela et al. (2020).

S1 to S4 ("Understanding and Robustifying Differentiable Architecture Search", arXiv 1909.09656) are where DARTS fails.
"""

from __future__ import annotations

from itertools import combinations

Edges = tuple[tuple[str, ...], ...]
"""The operators of each edge of one cell, edges in the order of WIRING."""

NONE = "none"
WIRING = tuple((source, node) for node in range(2, 6) for source in range(node))
"""For each of the 14 edges of a cell, the node that it reads and the node that its output is added to."""
PAIRS = {node: tuple(combinations(range(node), 2)) for node in range(2, 6)}
"""The two nodes that an inner node of a found cell may read."""

ALL = (
    "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5",
)  # fmt: skip
_SKIP, _SEP, _MAX, _AVG, _DIL3, _DIL5 = (
    "skip_connect", "sep_conv_3x3", "max_pool_3x3", "avg_pool_3x3", "dil_conv_3x3", "dil_conv_5x5",
)  # fmt: skip
_S1_NORMAL = (
    (_SKIP, _DIL3), (_SKIP, _DIL5), (_SKIP, _DIL5), (_SKIP, _SEP), (_SKIP, _DIL3), (_MAX, _SKIP), (_SKIP, _SEP),
    (_SKIP, _SEP), (_SKIP, _DIL3), (_SKIP, _SEP), (_MAX, _SKIP), (_SKIP, _DIL3), (_DIL3, _DIL5), (_DIL3, _DIL5),
)  # fmt: skip
_S1_REDUCE = (
    (_MAX, _AVG), (_MAX, _DIL3), (_MAX, _AVG), (_MAX, _AVG), (_SKIP, _DIL5), (_MAX, _AVG), (_MAX, _SEP), (_SKIP, _DIL3),
    (_SKIP, _DIL5), (_MAX, _AVG), (_MAX, _AVG), (_SKIP, _DIL5), (_SKIP, _DIL5), (_SKIP, _DIL5),
)  # fmt: skip


def _same(*operators: str) -> tuple[Edges, Edges]:
    return (operators,) * len(WIRING), (operators,) * len(WIRING)


SETS: dict[str, tuple[Edges, Edges]] = {
    "all": _same(*ALL),
    "s1": (_S1_NORMAL, _S1_REDUCE),
    "s2": _same(_SKIP, _SEP),
    "s3": _same(_SKIP, _SEP, NONE),
    "s4": _same("noise", _SEP),
}
"""By name, the operators of the normal and of the reduction cell's edges."""
