"""What a person reads after a comparison of searches; tests/studies checks the numbers."""

from __future__ import annotations

from surgenas.core.significance import Verdict
from surgenas.report.lab_text import BENCH_HEAD, bench_notes, bench_rows, bench_table, comparison_table
from surgenas.report.lab_text import improvement_table as told
from surgenas.studies.bench import BenchResult, MethodRow, Quartiles, RegretCurve
from surgenas.studies.compare import Against, Side, SideBySide
from surgenas.studies.improvement import Group, Improvement, ImprovementRow

CURVE = RegretCurve((1.0,), (1.0,), (1.0,))
VERDICT = Verdict(2.0, 1.0, 3.0, "better")


def bench(**changes):
    row = MethodRow("local", CURVE, Quartiles(0.1, 0.25, 0.5), Quartiles(10, 20, None), 0.5, VERDICT, None, 1.0, 3.0)
    values = {
        "space": "macro", "table": "t.csv", "validation": "val", "test": "test", "steered_by_test": False,
        "latency": "ms", "limit_ms": 5.0, "budget": 30, "seeds": 4, "networks": 9, "optimum": 60.0,
        "regret_of_best_validation": 0.5, "methods": (row,),
    }  # fmt: skip
    return BenchResult(**{**values, **changes})


def test_a_bench_has_medians_quartiles_and_dashes():
    (row,) = bench_rows(bench())
    assert len(row) == len(BENCH_HEAD)
    assert row[1:6] == ("0.25 (0.10 to 0.50)", "20 (10 to -)", "50%", "better", "-")
    assert "9 networks of macro within 5 ms (ms); optimum 60.00" in bench_notes(bench())[0]
    assert "the best by the former has a regret of 0.50" in bench_notes(bench())[0]
    assert "nobody can who has no table" in bench_notes(bench(steered_by_test=True))[0]
    assert bench_table(bench(report="x/bench.html")).endswith("drawn in x/bench.html")


def test_improvement_stands_by_what_it_is_over():
    group = Group(90.0, 2, (89.0, 91.0))
    none = Group(None, 0, ())
    row = ImprovementRow(
        "digits", "spos", "shuffle", 2.5, group, none, group, VERDICT, None, 60.0, 3.0, group, VERDICT, 4.5
    )
    text = told(Improvement((row,), 2, ("a",), {"b": "too slow"}))
    assert "90.00 % (2)" in text
    assert "of equal latency" not in text, "there were none"
    assert "+1.00 to +3.00" in text
    assert "at equal total cost" in text
    assert "a search takes 60 s, as long as 3.0 trainings; with training it passes as many images as 4.5 tr" in text
    assert text.endswith("missing: b: too slow")


def side(name, device="d", grade="A", passes=1000):
    return Side(name, "spos", "shuffle", 0, 0.9, (0.87, 0.93), 2.0, None, grade, device, 2.5, 60.0, passes)


def test_runs_stand_side_by_side_and_say_whether_their_latencies_compare():
    against = (Against("[b]", "a", -1.5, None, None, "unknown: one value"),)
    text = comparison_table(SideBySide((side("a"), side("[b]", grade=None)), "digits", 359, against, "seeds"))
    assert "[b] against a: -1.50 points, unknown: one value" in text
    assert "judged by seeds; 359 test images" in text
    assert "do not compare" not in text
    apart = comparison_table(SideBySide((side("a"), side("b", "e")), "digits", 359, (), "seeds"))
    assert "latencies are of 2 devices and do not compare" in apart
    assert "equal total cost" not in apart
    dear = comparison_table(SideBySide((side("a"), side("b", passes=2500)), "digits", 359, (), "seeds"))
    assert "not at equal total cost: one run passed 2.5 times the images of another" in dear
