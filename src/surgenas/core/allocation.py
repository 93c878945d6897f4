"""One option for each item, the least loss in all, sums of costs within caps: an integer programme.

Of use where the costs of items add up: bit widths of layers under a latency or a size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import Bounds, LinearConstraint

from surgenas.core.programme import Array, Infeasible, minimise


def allocate(
    losses: Sequence[Array], costs: Sequence[Array], caps: Array, alike: Sequence[Sequence[int]] = ()
) -> tuple[int, ...]:
    """The option of each item, by position.

    losses: of each item's options, (options,). costs: of each item's options, (options, R). caps: of the sums, (R,).
    alike: items of equally many options that all take the same one. Raises Infeasible.
    """
    counts = [len(loss) for loss in losses]
    starts = np.cumsum([0, *counts])
    N = int(starts[-1])
    one = np.zeros((len(counts), N))
    for i in range(len(counts)):
        one[i, starts[i] : starts[i + 1]] = 1
    rules = [LinearConstraint(one, 1, 1), LinearConstraint(np.concatenate(list(costs)).T, -np.inf, caps)]
    for first, *others in alike:
        for other in others:
            same = np.zeros((counts[first], N))
            options = np.arange(counts[first])
            same[options, starts[first] + options] = 1
            same[options, starts[other] + options] = -1
            rules.append(LinearConstraint(same, 0, 0))
    found = minimise(np.concatenate(list(losses)), rules, np.ones(N), Bounds(0, 1))
    if found is None:
        raise Infeasible(np.array([cost.min(0) for cost in costs]).sum(0))
    return tuple(int(found[starts[i] : starts[i + 1]].argmax()) for i in range(len(counts)))
