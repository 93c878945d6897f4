"""Relative improvement over random architectures: what is computed from runs, and what is refused. The runs are written
here; tests/runs/test_flow.py makes real ones."""

from __future__ import annotations

import json

import numpy as np
import pytest

from surgenas import api
from surgenas.core.errors import LimitError, UsageError
from surgenas.core.progress import Progress
from surgenas.core.significance import relative_improvement
from surgenas.report.lab_text import improvement_table
from surgenas.runs.results import Accuracy, Reached, Searched, TotalCost, Verified
from surgenas.studies.improvement import Improvement, Protocol, label, one_by_one, run_protocol
from tests.runs.written import timed

IMAGES = 400


def record(run, found, beside):
    """What a finished run's journal holds, as far as it is read here."""
    run.journal.append("data", name="digits", classes=["a", "b"], train=800, test=IMAGES)
    for step, seconds, result in (
        ("reach", 1.0, Reached(0.1, 4.0, 2.5)),
        ("search", 60.0, Searched(1)),
        ("cost", 0.0, TotalCost(2000, 1000, 1000, 20)),
        *((f"train {name}", 20.0, Accuracy(accuracy)) for name, accuracy in {"found": found, **beside}.items()),
        ("verify", 1.0, Verified({"found": timed(2.0)}, ())),
    ):
        run.journal.append("spent", step=step, seconds=seconds)
        run.record(step, result)


class Searching:
    """Runs end at once: surgenas finds .95 and more, spos less than random; every call is noted."""

    def __init__(self):
        self.calls = []

    def __call__(self, run):
        config = run.config
        self.calls.append((run.folder.name, config.target.latency_ms))
        if run.result(Verified):
            return
        base = {"surgenas": 0.95, "spos": 0.85}[config.method.name]
        equal = [f"random at equal latency {i + 1}" for i in range(config.beside.random_at_equal_latency)]
        names = [*equal, *(f"random {i + 1}" for i in range(config.beside.random))]
        names += [f"random at equal total cost {i + 1}" for i in range(config.beside.random_at_equal_cost)]
        noise = np.random.default_rng(config.seed).normal(0, 0.005, 1 + len(names))
        record(run, base + noise[0], {name: 0.9 + n for name, n in zip(names, noise[1:], strict=True)})


def go(folder, execute, **how):
    methods = how.pop("methods", ("surgenas", "spos"))
    return run_protocol(
        Protocol(data=("digits",), methods=methods, **how), folder, Progress(), one_by_one(Progress(), execute)
    )


def test_improvement_is_over_random_architectures_of_the_same_run(tmp_path):
    searching = Searching()
    protocol = Protocol(data=("digits",), methods=("surgenas", "spos"), seeds=4, random=2)
    found = run_protocol(protocol, tmp_path, Progress(), one_by_one(Progress(), searching))
    good, bad = found.rows
    assert (good.found.n, good.random.n, good.random_at_equal_latency.n, good.random_at_equal_cost.n) == (4, 8, 8, 8)
    assert (good.ri_at_equal_cost.said, bad.ri_at_equal_cost.said) == ("better", "worse")
    assert good.cost_in_trainings == 4.0
    expected = relative_improvement(good.found.values, good.random.values, 100 / IMAGES)
    assert good.ri == expected.tell()
    assert good.ri.value == pytest.approx(100 * (0.95 - 0.9) / 0.9, abs=1)
    assert (good.ri.said, bad.ri.said) == ("better", "worse")
    assert good.ri_at_equal_latency.said == "better"
    assert good.search_seconds == 61.0
    assert good.search_in_trainings == pytest.approx(61 / 20)
    names = [name for name, _ in searching.calls]
    assert names[:3] == ["digits-surgenas-0", "digits-spos-0", "digits-surgenas-1"], "seeds in turn"
    assert {limit for name, limit in searching.calls if name[-1] == "0"} == {None}
    assert {limit for name, limit in searching.calls if name[-1] != "0"} == {2.5}, "as the first seed's"
    assert Improvement.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found
    text = improvement_table(found)
    assert "better" in text
    assert "worse" in text


def test_what_is_done_is_not_done_again_and_other_settings_are_refused(tmp_path):
    searching = Searching()
    first = go(tmp_path, searching, seeds=2)
    assert go(tmp_path, searching, seeds=2) == first
    assert go(tmp_path, searching, seeds=3).rows[0].found.n == 3
    with pytest.raises(UsageError, match="holds a run with other settings"):
        go(tmp_path, searching, seeds=2, settings={"batch": 128})


def test_a_search_that_misses_its_limit_is_said_and_the_others_count(tmp_path):
    plain = Searching()

    def misses(run):
        if run.config.method.name == "spos" or run.config.seed == 1:
            raise LimitError("too slow")
        plain(run)

    found = go(tmp_path, misses, seeds=3)
    assert [(row.method, row.found.n) for row in found.rows] == [("surgenas", 2)]
    assert len(found.missed) == 4
    assert "digits-surgenas-1: too slow" in improvement_table(found)
    with pytest.raises(LimitError, match="too slow"):
        go(tmp_path, misses, seeds=3, methods=("spos",))


def test_a_first_seed_that_missed_is_tried_again_beside_the_others(tmp_path):
    plain, busy = Searching(), {0}

    def misses(run):
        if run.config.seed in busy:
            run.record("reach", Reached(0.1, 4.0, 2.5))
            raise LimitError("nothing confirmed")
        plain(run)

    assert go(tmp_path, misses, seeds=2, methods=("surgenas",)).rows[0].found.n == 1
    busy.clear()
    assert go(tmp_path, misses, seeds=2, methods=("surgenas",)).rows[0].found.n == 2
    assert plain.calls[-1] == ("digits-surgenas-1", 2.5)


def test_one_run_says_nothing(tmp_path):
    found = go(tmp_path, Searching(), seeds=1, methods=("surgenas",))
    assert found.rows[0].ri.said == "unknown: one value"
    assert found.rows[0].ri.low is None
    assert "unknown: one value" in improvement_table(found)


def test_methods_that_share_weights_get_their_epochs_and_others_their_own(tmp_path):
    seen = {}

    def look(run):
        seen[run.config.method.name] = run.config.method.epochs
        raise LimitError("enough")

    with pytest.raises(LimitError, match="enough"):
        go(tmp_path, look, seeds=1, methods=("surgenas", "spos", "random"), settings={"epochs": 10})
    assert seen["surgenas"] == 10
    assert seen["spos"] > 10
    assert seen["random"] == 0


def test_a_data_set_has_a_short_name():
    assert [label(data) for data in ("digits", "/a/photos/", "torchvision:CIFAR10")] == [
        "digits", "photos", "torchvision-CIFAR10",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"seeds": 0}, "--seeds 0: expected 1 to 100"),
        ({"seeds": 1000}, "--seeds 1000"),
        ({"random": 0}, "--random 0"),
        ({"methods": []}, "methods (none)"),
        ({"methods": ["spos", "spos"]}, "each once"),
        ({"methods": ["magic"]}, "unknown method 'magic'"),
        ({"data": ["a/x", "b/x"]}, "two of them have one name"),
    ],
)
def test_bad_protocols_are_refused(tmp_path, how, says):
    with pytest.raises(UsageError) as error:
        api.improvement(tmp_path, **{"data": ["digits"], "methods": ["surgenas"], **how})
    assert says in str(error.value)
