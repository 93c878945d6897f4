"""In which ways can the architectures of a space share weights?"""

from __future__ import annotations

from typing import Literal

Sharing = Literal["choice", "cells", "superkernel", "elastic"]
"""choice: a copy of each operator in each layer. cells: the same at each edge of a repeated cell. superkernel: all
operators of a layer in the weights of its largest. elastic: all sizes of one network in the first units of its groups.
A supernet's class says which in `shares`."""
