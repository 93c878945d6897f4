"""The truth that is looked up: representatives, limits, and what a table cannot do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from surgenas.core import moves
from surgenas.core.errors import DataError, LimitError, UsageError
from surgenas.core.work import Epochs, Judge, Price, Train
from surgenas.engine.tables import Table, read_columns
from surgenas.engine.tabular import Lookup, Tabular, World, check_enumerable, look_up_all
from surgenas.methods.blackbox import list_networks
from surgenas.spaces.fbnet import FBNet
from surgenas.spaces.macro import Macro
from surgenas.spaces.nasbench201 import NASBench201

SPACE, CELLS = Macro(), NASBench201()
DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def world() -> World:
    """Two fidelities; latency rises with the operators."""
    code = list_networks(SPACE).code
    score = (code * np.random.default_rng(0).normal(size=code.shape[1:])).sum((1, 2))
    return World(SPACE, np.stack([-score, score]), 2 * score, latency_ms=1 + code[:, :, 1:].sum((1, 2)), limit_ms=5.0)


def test_isomorphic_architectures_share_the_row_of_their_representative():
    one = CELLS.parse("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|")
    other = CELLS.parse("|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|none~0|skip_connect~1|none~2|")
    assert CELLS.canonical(one) == CELLS.canonical(other)
    first = CELLS.canonical(one)
    second = other if first == one else one

    def look(archs, values):
        return Lookup(Table(CELLS, tuple(archs), ("x",), np.array(values)[:, None]), "x")

    assert look([second, first], [1.0, 2.0])([first, second]).tolist() == [2.0, 2.0], "its own row, wherever it stands"
    assert look([second], [1.0])([first]).tolist() == [1.0]
    with pytest.raises(DataError, match="is not in the table, which has 1 architectures"):
        look([second], [1.0])([moves.uniform_architecture(CELLS, "none")])


def test_public_optima_are_found():
    if not (DATA / "nasbench201").is_dir():
        pytest.skip("no public tables here")
    columns = {"c10_test_200ep": 94.373, "c100_test_200ep": 73.513}
    found = read_columns(CELLS, DATA / "nasbench201" / "accuracy.csv.gz", list(columns))
    for name, best in columns.items():
        assert look_up_all(CELLS, found, name).max() == pytest.approx(best, abs=5e-4)
    path = DATA / "nasbench_macro" / "nas-bench-macro_cifar10.json"
    values = look_up_all(SPACE, read_columns(SPACE, path, ["mean_acc"]), "mean_acc")
    assert len(values) == 3969, "layers of one shape may trade places with a skip"
    assert list_networks(SPACE).archs[values.argmax()] == SPACE.canonical(SPACE.parse("22212220"))
    assert values.max() == pytest.approx(93.127, abs=1e-3)


def test_a_judgement_is_looked_up_at_its_rung_and_a_price_in_milliseconds(world):
    arch, engine = SPACE.parse("00000111"), Tabular(world)
    place = world.index[arch.genes]
    assert [engine.perform(Judge(arch, rung)) for rung in (0, 1)] == world.scores[:, place].tolist()
    (cost,) = engine.perform(Price((arch,)))
    assert (cost.ms, cost.key, cost.evidence) == (4.0, arch.key, "estimated")


def test_what_has_to_be_trained_is_refused(world):
    for work in (Epochs(0), Train("found", SPACE.parse("0" * 8), 0)):
        with pytest.raises(UsageError, match="a table knows finished networks"):
            Tabular(world).perform(work)


def test_a_limit_is_hard_and_the_optimum_is_the_one_inside(world):
    inside = [arch for arch in list_networks(SPACE).archs if sum(gene != "skip" for gene in arch.genes) <= 4]
    assert world.feasible(inside).all()
    assert world.feasible(list_networks(SPACE).archs).sum() == len(inside) == world.allowed.sum()
    assert world.optimum == max(world.reported[world.index[arch.genes]] for arch in inside)


def test_a_limit_that_nothing_meets_names_the_fastest(world):
    with pytest.raises(LimitError, match="no architecture of macro is that fast; the fastest takes 1 ms"):
        World(SPACE, world.scores, world.reported, world.latency_ms, limit_ms=0.5)


def test_without_a_limit_everything_is_allowed(world):
    assert World(SPACE, world.scores, world.reported).allowed.all()


def test_two_worlds_have_one_fingerprint_only_if_they_are_equal(world):
    same = World(SPACE, world.scores, world.reported, world.latency_ms, 5.0)
    other = World(SPACE, world.scores, world.reported, world.latency_ms, 6.0)
    assert world.fingerprint == same.fingerprint != other.fingerprint


def test_networks_that_are_missing_are_counted():
    archs = list_networks(SPACE).archs[1:]
    table = Table(SPACE, archs, ("x",), np.arange(len(archs), dtype=float)[:, None])
    with pytest.raises(DataError, match="1 of 3969 networks are missing, for example skip"):
        look_up_all(SPACE, table, "x")


def test_a_space_too_large_for_a_table_is_refused():
    check_enumerable(SPACE)
    with pytest.raises(DataError, match="too many for a table of all"):
        check_enumerable(FBNet())
