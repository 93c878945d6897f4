"""Integer programmes, solved exactly and in silence by HiGHS (scipy's milp)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp

from surgenas.core.native_output import native_output

Array = npt.NDArray[np.float64]


class Infeasible(Exception):
    """No choice is within the budget. least: the fewest of each resource that any choice needs, (R,)."""

    def __init__(self, least: Array) -> None:
        super().__init__(f"at least {least.tolist()} of the resources are needed")
        self.least = least


def minimise(loss: Array, rules: Sequence[LinearConstraint], whole: Array, bounds: Bounds) -> Array | None:
    """The variables (N,) of least loss (N,) that keep the rules; None if none do. whole: 1 for those that are whole
    numbers.

    Without a gap of 0 scipy would call what is within 1e-4 of the best the best. And though it is told to display
    nothing, HiGHS in scipy 1.17.1 writes a line of its own to standard output for about one in a hundred programmes.
    """
    scale = float(np.abs(loss).max()) or 1.0  # the solver's tolerances are absolute
    with native_output():
        found = milp(loss / scale, constraints=rules, integrality=whole, bounds=bounds, options={"mip_rel_gap": 0})
    return None if found.x is None else np.asarray(found.x)
