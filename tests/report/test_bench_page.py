"""The page of a bench."""

from __future__ import annotations

import pytest

from surgenas.report.bench_page import regret_figure, write_bench_page
from surgenas.studies.bench import BenchResult, MethodRow, Quartiles, RegretCurve

CURVE = RegretCurve(*[(3.0, 0.5, 0.0)] * 3)


def bench(names, curve=CURVE):
    rows = [
        MethodRow(name, curve, Quartiles(0.0, 0.5, 1.0), Quartiles(2, 3, None), 0.5, None, None, 1.0, 3.0)
        for name in names
    ]
    return BenchResult("macro", "<b>t.csv", "val", "test", False, None, None, 3, 2, 9, 60.0, 0.5, tuple(rows))


@pytest.mark.parametrize(("methods", "bands"), [(3, 3), (13, 0)])
def test_every_search_has_a_line_of_its_own(methods, bands):
    """Quartiles only while they can be told apart."""
    names = ["random", *(f"method {i}" for i in range(1, methods))]
    figure = regret_figure(bench(names))
    lines = [trace for trace in figure.data if trace.name]
    assert [trace.name for trace in lines] == names
    assert len({(trace.line.color, trace.line.dash) for trace in lines}) == methods
    assert len(figure.data) - len(lines) == bands


def test_what_no_search_reached_is_a_gap_and_what_all_reached_is_drawn_at_the_floor():
    (line,) = (t for t in regret_figure(bench(["local"], RegretCurve(*[(None, 0.5, 0.0)] * 3))).data if t.name)
    assert list(line.y) == [None, 0.5, 0.01]


def test_the_page_stands_alone_and_escapes_names(tmp_path):
    text = write_bench_page(bench(["random", "<i>mine"]), tmp_path).read_text()
    assert "&lt;i&gt;mine" in text
    assert "<b>t.csv" not in text[-4000:]
    assert "2 (2 to -)" not in text
    assert "3 (2 to -)" in text
