"""Options for items against trying everything, and the published layers of a quantized ResNet-18."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core.allocation import allocate
from surgenas.core.programme import Infeasible

# Hessian traces over numbers of weights, squared errors of weights in 8 and 4 bits, weights, and milliseconds on a T4
# in 4 and 8 bits, of the 19 convolutions between the first and the last layer: numbers that the authors of HAWQ-V3
# publish with their integer programme (github.com/Zhen-Dong/HAWQ, ILP.ipynb, 2021, MIT).
TRACE = [
    0.06857826, 0.03162379, 0.03298575, 0.01205663, 0.02222431, 0.00596336, 0.06931772, 0.00807129, 0.00372905,
    0.00530698, 0.00209011, 0.00737569, 0.00210454, 0.00151197, 0.00158041, 0.00078146, 0.00451841, 0.00098745,
    0.00072944,
]  # fmt: skip
OFF_8 = [
    0.0235, 0.0125, 0.0102, 0.0082, 0.0145, 0.0344, 0.0023, 0.0287, 0.0148, 0.0333, 0.0682, 0.0027, 0.0448, 0.0336,
    0.0576, 0.1130, 0.0102, 0.0947, 0.0532,
]  # fmt: skip
OFF_4 = [
    6.7430, 3.9691, 3.3281, 2.6796, 4.7277, 10.5966, 0.6827, 9.0942, 4.8857, 10.7599, 21.7546, 0.8603, 14.5324, 10.9651,
    18.7706, 36.4044, 3.1572, 29.6994, 17.4016,
]  # fmt: skip
WEIGHTS = [36864] * 4 + [73728, 147456, 8192, 147456, 147456, 294912, 589824, 32768, 589824, 589824, 1179648, 2359296,
                         131072, 2359296, 2359296]  # fmt: skip
MS_4 = [
    0.21094404, 0.21092674, 0.21104113, 0.21086851, 0.13642465, 0.19167506, 0.02532183, 0.19148203, 0.19142914,
    0.11395316, 0.20556011, 0.01917474, 0.20566918, 0.20566509, 0.13185102, 0.22287786, 0.01790088, 0.22304611,
    0.22286099,
]  # fmt: skip
MS_8 = [
    0.36189111, 0.36211718, 0.31141909, 0.30454471, 0.19184896, 0.38948934, 0.0334169, 0.38904905, 0.3892859,
    0.19134735, 0.34307431, 0.02802354, 0.34313329, 0.34310756, 0.21117103, 0.37376585, 0.02896843, 0.37398187,
    0.37405185,
]  # fmt: skip
BRANCHES = ((4, 6), (9, 11), (14, 16))
"""Down-sampling branches have their main branch's bits."""
LOSSES = np.array(TRACE)[:, None] * np.array([OFF_4, OFF_8]).T
COSTS = {"ms": np.array([MS_4, MS_8]).T, "mb": np.array(WEIGHTS)[:, None] * np.array([0.5, 1.0]) / 2**20}


@pytest.mark.parametrize(("cost", "cap", "bits", "loss", "used"), [
    ("ms", 4.246180, "1111101101110010100", 0.202674, 4.220095),
    ("mb", 7.980469, "1111111111111110100", 0.074506, 7.265625),
])  # fmt: skip
def test_resnet_18_half_way_between_4_and_8_bits(cost, cap, bits, loss, used):
    costs = COSTS[cost]
    assert costs.sum(0).mean() == pytest.approx(cap, abs=1e-6)
    found = allocate(list(LOSSES), list(costs[:, :, None]), np.array([cap]), BRANCHES)
    assert "".join(map(str, found)) == bits
    rows = np.arange(len(found))
    assert LOSSES[rows, found].sum() == pytest.approx(loss, abs=1e-6)
    assert costs[rows, found].sum() == pytest.approx(used, abs=1e-6)


def test_resnet_18_without_a_choice():
    assert LOSSES.sum(0) == pytest.approx([1.307713, 0.004258], abs=1e-6)


def instance(seed):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 5, int(rng.integers(1, 7)))
    losses = [rng.random(count) for count in counts]
    costs = [rng.random((count, 2)) for count in counts]
    caps = rng.uniform(0.2, 1.0, 2) * sum(cost.max(0) for cost in costs)
    equal = [i for i, count in enumerate(counts) if count == counts[0]]
    return losses, costs, caps, ([equal] if rng.random() < 0.5 else [])


def tried(losses, costs, caps, alike):
    for options in product(*(range(len(loss)) for loss in losses)):
        within = (sum(cost[k] for cost, k in zip(costs, options, strict=True)) <= caps).all()
        if within and all(len({options[i] for i in group}) == 1 for group in alike):
            yield sum(loss[k] for loss, k in zip(losses, options, strict=True))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_it_is_the_best_of_all_choices(seed):
    losses, costs, caps, alike = instance(seed)
    everything = list(tried(losses, costs, caps, alike))
    if not everything:
        with pytest.raises(Infeasible):
            allocate(losses, costs, caps, alike)
        return
    found = allocate(losses, costs, caps, alike)
    assert (sum(cost[k] for cost, k in zip(costs, found, strict=True)) <= caps + 1e-6).all()
    assert all(len({found[i] for i in group}) == 1 for group in alike)
    assert sum(loss[k] for loss, k in zip(losses, found, strict=True)) == pytest.approx(min(everything), abs=1e-6)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.floats(1, 2))
def test_a_looser_cap_never_loses_more(seed, factor):
    losses, costs, caps, _ = instance(seed)
    try:
        found = allocate(losses, costs, caps)
    except Infeasible:
        return
    looser = allocate(losses, costs, factor * caps)
    lost = [sum(loss[k] for loss, k in zip(losses, options, strict=True)) for options in (found, looser)]
    assert lost[1] <= lost[0] + 1e-6


def test_the_least_that_is_possible_is_said():
    with pytest.raises(Infeasible) as found:
        allocate([np.array([1.0, 0.0])] * 2, [np.array([[1.0], [3.0]])] * 2, np.array([1.5]))
    assert found.value.least.tolist() == [2.0]
