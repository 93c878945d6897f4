"""Searches on tables: what is said of a search, and benches that are cut off or bad."""

from __future__ import annotations

import itertools
import json
import math
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surgenas import api
from surgenas.core import moves
from surgenas.core.errors import DataError, LimitError, SurgenasError, UsageError
from surgenas.core.progress import Progress
from surgenas.methods.random_search import RandomSearch
from surgenas.report.lab_text import bench_table
from surgenas.spaces.macro import Macro
from surgenas.studies.bench import BenchResult

SPACE = Macro()


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    """All of macro: val is a noisy test, small is a noisier one; ms rises with the operators."""
    rng = np.random.default_rng(0)
    rows = {}
    for arch in moves.enumerate_all(SPACE):
        digits = moves.indices(SPACE, SPACE.canonical(arch))
        test = 60 + 3 * np.tanh(np.array(digits)).sum() + 0.5 * (digits[0] == 2) * digits[7]
        rows["".join(map(str, moves.indices(SPACE, arch)))] = {
            "test": float(test), "val": float(test + rng.normal(0, 0.3)), "small": float(test + rng.normal(0, 2)),
            "ms": 1.0 + sum(digits) + 0.01 * digits[0],
        }  # fmt: skip
    path = tmp_path_factory.mktemp("table") / "macro.json"
    path.write_text(json.dumps(rows))
    return path


def go(table, out, **how):
    settings = {"methods": ("local",), "seeds": 3, "budget": 40, **how}
    return api.bench("macro", table, settings.pop("validation", "val"), "test", out=out, **settings)


def of(found, name):
    return next(row for row in found.methods if row.method == name)


def without_times(found):
    rows = tuple(replace(row, seconds_per_1000_queries=0.0) for row in found.methods)
    return replace(found, methods=rows, report="")


def test_flash_searches_a_table_with_the_budget_that_it_is_given(table, tmp_path):
    """Half of few queries is learned from; with more it goes on in rounds."""
    found = of(go(table, tmp_path, methods=("flash",), budget=20, seeds=2), "flash")
    assert found.queries == 20
    assert found.regret.median[-1] < found.regret.median[9]


def test_what_is_said_of_a_search(table, tmp_path):
    found = go(table, tmp_path, validation="test", methods=("local", "regularized", "weaknas"), budget=100)
    assert [row.method for row in found.methods] == ["random", "local", "regularized", "weaknas"]
    assert found.optimum == pytest.approx(max(row["test"] for row in json.loads(table.read_text()).values()))
    assert found.steered_by_test
    for row in found.methods:
        curve = row.regret.median
        assert len(curve) == 100
        assert all(b <= a for a, b in itertools.pairwise(curve)), "what steers is what is reported"
        assert row.final_regret.median == curve[-1] >= 0
    weak = of(found, "weaknas")
    assert weak.reached == 1.0
    assert weak.queries_to_optimum.median <= 100
    assert weak.better_than_random.value > 0
    assert of(found, "random").reached == 0.0
    assert of(found, "random").queries_to_optimum.median is None
    assert BenchResult.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found
    text = bench_table(found)
    assert "searching on test itself" in text
    assert (tmp_path / "bench.html").stat().st_size > 1e6


def test_validation_steers_and_test_reports(table, tmp_path):
    rows = json.loads(table.read_text())
    best = max(rows.values(), key=lambda row: row["val"])
    found = go(table, tmp_path, methods=("weaknas-boosting",), budget=100, seeds=1)
    assert found.regret_of_best_validation == pytest.approx(found.optimum - best["test"])
    assert not found.steered_by_test
    events = [json.loads(line[9:]) for line in (tmp_path / "bench.jsonl").read_text().splitlines()]
    chosen = next(e for e in events if e.get("method") == "weaknas-boosting" and e["seed"] == 0)
    genes = tuple(chosen["best"].split("-"))
    key = "".join(str(SPACE.OPTIONS.index(gene)) for gene in genes)
    assert chosen["regret"][-1] == pytest.approx(found.optimum - rows[key]["test"])
    assert rows[key]["val"] >= np.quantile([row["val"] for row in rows.values()], 0.99)


def test_a_limit_is_hard_and_the_optimum_is_the_one_inside(table, tmp_path):
    rows = json.loads(table.read_text()).values()
    how = {"latency_table": table, "latency": "ms", "limit_ms": 7.0, "seeds": 2, "budget": 60}
    found = go(table, tmp_path, methods=("nsga2", "regularized", "optuna-nsga2"), **how)
    assert found.optimum == pytest.approx(max(row["test"] for row in rows if row["ms"] <= 7.0))
    assert found.networks < sum(row["ms"] <= 7.0 for row in rows), "isomorphic ones count once"
    for row in found.methods:
        assert row.final_regret.low >= 0, "nobody is better than the best inside"
        assert 0 < row.hypervolume <= 1
    with pytest.raises(LimitError, match=r"no architecture of macro is that fast; the fastest takes 1 ms"):
        go(table, tmp_path / "none", **(how | {"limit_ms": 0.5}))


def test_halving_pays_less_for_what_is_cheap(table, tmp_path):
    found = go(table, tmp_path, methods=("halving",), fidelities={"small": 0.1}, budget=50)
    assert of(found, "random").queries == 50
    assert 100 < of(found, "halving").queries <= 500


@pytest.mark.slow
def test_the_whole_front_has_all_the_hypervolume(table, tmp_path):
    """Steering by what is reported, so that what the search takes for the best is the best."""
    how = {"validation": "test", "latency_table": table, "latency": "ms", "limit_ms": 3.5, "seeds": 1}
    everything = go(table, tmp_path / "all", methods=("local",), budget=200, **how)
    assert 20 < everything.networks < 200
    assert [row.hypervolume for row in everything.methods] == [pytest.approx(1.0)] * 2
    little = go(table, tmp_path / "few", methods=("local",), budget=1, **how)
    assert all(0 <= row.hypervolume < 1 for row in little.methods)


class Killing(Progress):
    """Stops everything right after the given number of searches."""

    def __init__(self, after):
        self.after = after

    @contextmanager
    def task(self, name, total, done=0):
        yield self

    def advance(self, note=""):
        self.after -= 1
        if self.after == 0:
            raise KeyboardInterrupt


def searches(folder):
    lines = (folder / "bench.jsonl").read_text().splitlines()
    return [(e["method"], e["seed"]) for line in lines if (e := json.loads(line[9:]))["event"] == "searched"]


def test_cut_off_and_begun_again_it_is_the_same_and_may_grow(table, tmp_path):
    whole_bench = go(table, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        go(table, tmp_path / "cut", progress=Killing(3))
    assert searches(tmp_path / "cut") == [("random", 0), ("local", 0), ("random", 1)]
    found = go(table, tmp_path / "cut")
    assert sorted(searches(tmp_path / "cut")) == [(m, s) for m in ("local", "random") for s in range(3)]
    assert without_times(found) == without_times(whole_bench)
    more = go(table, tmp_path / "cut", seeds=4, methods=("local", "regularized"))
    assert len(searches(tmp_path / "cut")) == 6 + 2 + 4, "what was searched is not searched again"
    assert [row.method for row in more.methods] == ["random", "local", "regularized"]
    assert more.seeds == 4
    with pytest.raises(UsageError, match=r"a bench with another budget \(40\); choose another --out"):
        go(table, tmp_path / "cut", budget=41)


@pytest.mark.slow
def test_more_queries_than_networks_end_by_themselves(table, tmp_path):
    how = {"latency_table": table, "latency": "ms", "limit_ms": 2.5, "seeds": 1}
    found = go(table, tmp_path, methods=("regularized", "weaknas", "optuna-tpe"), **how)
    assert 1 < found.networks < 40
    assert all(row.queries == found.networks for row in found.methods)
    assert all(row.final_regret.median < math.inf for row in found.methods)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"budget": 0}, "--budget 0: expected 1 to"),
        ({"seeds": 5000}, "--seeds 5000: expected 1 to 1000"),
        ({"methods": ("magic",)}, "unknown method 'magic'; one of"),
        ({"methods": ("local", "local")}, "each once"),
        ({"methods": ("surgenas.core.moves:size",)}, "is no search method; expected a dataclass"),
        ({"methods": ("surgenas.methods.optuna:OptunaSearch",)}, "is no search method; expected a dataclass"),
        ({"methods": ("nsga2",)}, "nsga2 searches for score and latency"),
        ({"methods": ("halving",)}, "halving needs cheaper fidelities"),
        ({"methods": ("race",)}, "race goes on from weights, which a table has not"),
        ({"fidelities": {"small": 1.5}}, "--fidelity small=1.5"),
        ({"fidelities": {"small": 0.1}}, "none of random, local uses cheaper fidelities"),
        ({"methods": ("tests_lab_nothing:Nothing",)}, "asked for nothing, though 3969 networks are allowed"),
        ({"limit_ms": 3.0}, "--limit needs latencies"),
        ({"latency": "ms"}, "go together"),
        ({"validation": "none"}, "no column 'none'; it has test, val"),
    ],
)
def test_bad_settings_are_one_line(table, tmp_path, how, says, monkeypatch):
    monkeypatch.setitem(sys.modules, "tests_lab_nothing", type("module", (), {"Nothing": Nothing}))
    with pytest.raises(SurgenasError, match=says) as error:
        go(table, tmp_path, **how)
    assert "\n" not in str(error.value)


class Nothing(RandomSearch):
    """A method of somebody's that never asks."""

    def ask(self, *_args):
        return []


def test_a_folder_that_holds_something_else_is_left_alone(table, tmp_path):
    (tmp_path / "journal.jsonl").write_text('{"x": 1}')
    with pytest.raises(UsageError, match=r"holds something else \(journal.jsonl\); choose another --out"):
        go(table, tmp_path)
    assert (tmp_path / "journal.jsonl").read_text() == '{"x": 1}'


def _changed(rows, **more):
    return json.dumps({**rows, **more})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: json.dumps(dict(list(rows.items())[1:])), "1 of 3969 networks are missing, for example skip"),
        (lambda rows: _changed(rows, **{"00000000": {"val": math.nan, "test": 1}}), "val: nan will not do"),
        (lambda rows: _changed(rows, **{"00000000": {"val": "high", "test": 1}}), "'high' is no number"),
        (lambda rows: _changed(rows, **{"00000003": {"val": 1, "test": 1}}), "not an architecture of macro"),
        (lambda rows: "{", "not a JSON table"),
        (lambda rows: "[1]", "not a table"),
    ],
)
def test_bad_tables_are_one_line(table, tmp_path, change, says):
    bad = tmp_path / "bad.json"
    bad.write_text(change(json.loads(table.read_text())))
    with pytest.raises(DataError, match=says) as error:
        go(bad, tmp_path / "out")
    assert "\n" not in str(error.value)


def test_contradicting_rows_and_spaces_without_a_whole_table_are_refused(tmp_path):
    line = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    twice = tmp_path / "twice.csv"
    twice.write_text(f"arch,x\n{line},1\n{line},2\n")
    with pytest.raises(DataError, match="line 3, x: 2, but 1 for the same architecture further up"):
        api.bench("nasbench201", twice, "x", "x", out=tmp_path / "out")
    few = tmp_path / "few.csv"
    few.write_text("arch,x\n" + "_".join("0" * 22) + ",1\n" + "_".join("1" * 22) + ",2\n")
    with pytest.raises(DataError, match="too many for a table of all"):
        api.bench("fbnet", few, "x", "x", out=tmp_path / "out")


def test_one_network_inside_a_limit_is_found_and_has_no_front(table, tmp_path):
    found = go(table, tmp_path, seeds=1, latency_table=table, latency="ms", limit_ms=1.0, methods=("nsga2",))
    assert found.networks == 1
    assert all(row.hypervolume is None and row.reached == 1.0 for row in found.methods)
