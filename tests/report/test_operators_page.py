"""The drawing of a device's operators: kept and dropped, and none that it cannot run."""

from __future__ import annotations

from surgenas.report.operators_page import operators_figure, write_operators_page
from surgenas.runs.results import OperatorRow
from surgenas.studies.operators import DeviceOperators, Operators

ROWS = (
    OperatorRow("k3", 1.0, 0.5, 2.0, True, ""),
    OperatorRow("k5", 1.5, 1.0, 1.5, False, "its score"),
    OperatorRow("k7", 2.0, 1.5, 1.0, False, "k5 is as large and as fast everywhere"),
    OperatorRow("x", None, None, None, False, "the device cannot run it"),
)


def test_every_operator_is_where_it_belongs():
    figure = operators_figure({"one": ROWS, "other": ROWS})
    drawn = {trace.name: list(trace.text) for trace in figure.data[:3]}
    assert drawn == {"kept": ["k3"], "dropped: score": ["k5"], "dropped: dominated": ["k7"]}
    assert len(figure.data) == 6
    assert sum(bool(trace.showlegend) for trace in figure.data) == 3


def test_the_page_is_one_offline_file(tmp_path):
    chosen = DeviceOperators("toy/1", "space.json", "k3", {}, ROWS)
    path = write_operators_page(Operators("small", 16, 1, 1.0, {"toy": chosen}), tmp_path)
    text = path.read_text()
    assert path.name == "operators.html"
    assert "Operators by device: layout small at 16 px" in text
    assert len(text) > 1e6, "plotly is inside"
