"""Operator selection on tables that behave like devices: other people's measurements, and planted extremes."""

from __future__ import annotations

import pickle
import re
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from surgenas.core.errors import UsageError
from surgenas.methods.selection import OperatorChoice, OperatorCosts, select

TABLES = Path(__file__).parents[3] / "shared" / "data" / "tfnas_lut"
NAMES = tuple(f"k{k}_e{e}{se}" for k in (3, 5) for e in (4, 8) for se in ("", "_se"))


class Restricted(pickle.Unpickler):
    """The tables are pickles of OrderedDict; nothing else is let in."""

    def find_class(self, module, name):
        assert (module, name) == ("collections", "OrderedDict")
        return OrderedDict


def tfnas(device):
    """Eight MBConv operators (k3 or k5, expansion 4 or 8, with SE or without) in eleven layers."""
    path = TABLES / f"latency_{device}.pkl"
    if not path.exists():
        pytest.skip("no shared data here")
    with path.open("rb") as file:
        table = Restricted(file).load()
    pattern = r"MBInvertedResBlock_(\d+)_(\d+)_\d+_(\d+)_k\d_s(\d)_(\w+)"
    places = dict.fromkeys(re.fullmatch(pattern, key).groups() for key in table if key != "base")
    rows = []
    for size, cin, cout, stride, act in places:
        hw, cin, cout, out = int(size) ** 2, int(cin), int(cout), (int(size) // int(stride)) ** 2
        for k in (3, 5):
            for e in (4, 8):
                for se in (0, cin * e // 4):
                    mid = e * cin
                    key = f"MBInvertedResBlock_{size}_{cin}_{se}_{cout}_k{k}_s{stride}_{act}"
                    weights = cin * mid + k * k * mid + mid * cout + 2 * se * mid
                    flops = cin * mid * hw + (k * k * mid + mid * cout) * out + 2 * se * mid
                    rows.append((flops, weights, table[key][mid]))
    return OperatorCosts(NAMES, *np.array(rows).reshape(len(places), len(NAMES), 3).transpose(2, 0, 1))


def planted(latency, names=NAMES):
    """Four layers; the larger in one thing, the larger in all, but for latency."""
    size = np.arange(1.0, len(names) + 1)
    return OperatorCosts(names, *(np.tile(values, (4, 1)) for values in (size * 1e6, size * 1e3, latency)))


def test_where_se_is_dear_none_survives_and_where_it_is_cheap_it_does():
    """TF-NAS's CPU pays 28 to 63 % for SE, its GPU 18 to 24 %. Latency must count (b = 4): at b = 1 both keep the large
    operators, since SE triples a block's parameters (docs/methods/hurricane.md, 8)."""
    cpu, gpu = (select(tfnas(device), OperatorChoice(keep=2, b=4.0)).kept[0] for device in ("cpu", "gpu"))
    assert not any(name.endswith("_se") for name in cpu)
    assert all(name.endswith("_se") for name in gpu)


def test_two_devices_keep_different_operators_by_default():
    cpu, gpu = (set(select(tfnas(device), OperatorChoice(keep=2)).kept[0]) for device in ("cpu", "gpu"))
    assert cpu != gpu


def test_planted_se_that_costs_three_times_does_not_survive():
    dear = np.array([(3.0 if name.endswith("_se") else 1.0) + 0.1 * i for i, name in enumerate(NAMES)])
    assert not any(name.endswith("_se") for name in select(planted(dear), OperatorChoice(keep=3)).kept[0])


def test_where_kernel_size_is_free_the_largest_survives_alone():
    found = select(planted(np.ones(3), ("k3", "k5", "k7")), OperatorChoice(keep=3))
    assert found.kept[0] == ("k7",)
    assert found.dominated == {"k3": "k5", "k5": "k7"}


def test_the_score_is_the_formula():
    costs = OperatorCosts(("a", "b", "c"), *np.array([[[1.0, 2, 4]], [[1, 4, 2]], [[1, 2, 3]]]))
    found = select(costs, OperatorChoice(keep=3, b=2.0))
    assert found.capacity[0] == pytest.approx([0, 0.75, 0.75])
    assert found.score[0] == pytest.approx([0, 0.75, 0.75 / 1.5**2])


def test_equal_operators_do_not_dominate_each_other():
    costs = planted(np.ones(2), ("a", "b"))
    same = OperatorCosts(costs.names, *(np.ones((4, 2)) for _ in range(3)))
    assert set(select(same, OperatorChoice(keep=2)).kept[0]) == {"a", "b"}


def test_what_a_device_cannot_run_is_left_out_and_said():
    latency = np.array([1.0, 1, np.nan])
    found = select(planted(latency, ("a", "b", "c")), OperatorChoice(keep=2))
    assert found.impossible == ("c",)
    assert "c" not in found.kept[0]
    with pytest.raises(UsageError, match="runs none"):
        select(planted(np.full(2, np.nan), ("a", "b")), OperatorChoice(keep=1))


@pytest.mark.parametrize("keep", [0, 9])
def test_more_than_the_pool_has_is_one_line(keep):
    with pytest.raises(UsageError, match="expected 1 to 8"):
        select(planted(np.ones(8)), OperatorChoice(keep=keep))
    with pytest.raises(UsageError, match="empty"):
        select(OperatorCosts((), *(np.ones((4, 0)) for _ in range(3))), OperatorChoice(keep=1))


def test_each_layer_may_keep_its_own():
    latency = np.ones((2, 2))
    latency[0, 1] = latency[1, 0] = 9
    costs = OperatorCosts(("a", "b"), np.array([[1.0, 2], [2, 1]]), np.array([[1.0, 2], [2, 1]]), latency)
    found = select(
        OperatorCosts(costs.names, costs.params + 1, costs.params, latency), OperatorChoice(keep=1, per_layer=True, b=9)
    )
    assert len(found.kept) == 2
    assert found.pool == ";".join(names[0] for names in found.kept) or found.kept[0] == found.kept[1]
