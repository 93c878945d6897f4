"""HAO (Dong et al. 2021, arXiv 2104.12766): a network, the bits of its weights and the accelerator that runs it, chosen
together.

Tree search decides network and bits; a device of an accelerator's model sizes the accelerator anew for each candidate
by an integer programme, so that its latency is never that of another network's accelerator. What is published and what
is ours: docs/methods/hao.md, 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from surgenas.methods.tree_search import TreeSearch


@dataclass(frozen=True, kw_only=True)
class HAO(TreeSearch):
    """Settings of one search, those of `mcts`; each candidate's cost is asked for beside its accuracy."""

    name: ClassVar[str] = "hao"
    default_space: ClassVar[str] = "mobile_bits"
    two_objectives: ClassVar[bool] = True
