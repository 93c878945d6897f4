"""The page of a bench."""

from __future__ import annotations

import pytest

from surgenas.report.bench_page import regret_figure


@pytest.mark.parametrize(("methods", "bands"), [(3, 3), (13, 0)])
def test_every_search_has_a_line_of_its_own(methods, bands):
    """Quartiles only while they can be told apart."""
    curve = {key: [3.0, 0.5, 0.0] for key in ("low", "median", "high")}
    names = ["random", *(f"method {i}" for i in range(1, methods))]
    figure = regret_figure({"budget": 3, "methods": [{"method": name, "regret": curve} for name in names]})
    lines = [trace for trace in figure.data if trace.name]
    assert [trace.name for trace in lines] == names
    assert len({(trace.line.color, trace.line.dash) for trace in lines}) == methods
    assert len(figure.data) - len(lines) == bands
