"""Cells on the page: graphs with all their edges, operators over time, decisions with their margins."""

from __future__ import annotations

from types import SimpleNamespace

from surgenas.report.cells_page import cells_figure, decisions_figure, probabilities_figure, sections
from surgenas.spaces.darts import Darts
from surgenas.spaces.nasbench201 import NASBench201
from tests.spaces.test_genotypes import FLAT

DARTS = Darts()
ROWS = [("edge0to1", ("skip_connect", "sep_conv_3x3", "none")), ("edge0to2", ("skip_connect", "sep_conv_3x3", "none"))]
CHOSEN = {"row": 0, "operator": 1, "without": {"0": 0.6, "1": 0.5}, "margin": 0.1}
DROPPED = {"row": 1, "operator": None, "without": {"0": 0.5, "1": 0.5}, "margin": 0.0}
EPOCHS = [
    {"epoch": i, "probabilities": [[0.5 - i / 10, 0.5 + i / 10, 0.0], [0.4, 0.6, 0.0]], "decisions": decisions}
    for i, decisions in enumerate([[], [CHOSEN, DROPPED]])
]


def texts(figure) -> list[str]:
    return [text for trace in figure.data if trace.text is not None for text in trace.text]


def test_a_graph_has_every_edge_with_its_operator_and_every_node():
    said = texts(cells_figure(DARTS.cells(DARTS.parse(FLAT))))
    assert said.count("sep_conv_3x3") == 11
    assert said.count("skip_connect") == 5
    assert [said.count(str(node)) for node in range(6)] == [2] * 6, "in both cells"
    cell = NASBench201()
    assert len(texts(cells_figure(cell.cells(cell.architecture(("none",) * 6))))) == 6 + 4


def test_probabilities_are_lines_of_operators_that_ever_weigh_anything():
    figure = probabilities_figure(ROWS, EPOCHS)
    assert [trace.name for trace in figure.data] == ["skip_connect", "sep_conv_3x3"] * 2
    assert list(figure.data[1].y) == [0.5, 0.6]
    assert [trace.showlegend for trace in figure.data] == [True, True, False, False]


def test_decisions_are_bars_of_points_in_their_order():
    (bar,) = decisions_figure(ROWS, [CHOSEN, DROPPED]).data
    assert list(bar.x) == ["1. edge0to1: sep_conv_3x3", "2. edge0to2 dropped"]
    assert list(bar.y) == [10.0, 0.0]


def test_the_page_has_what_there_is():
    drawn: list[object] = []
    story = SimpleNamespace(cells={}, epochs=(), rows=())
    assert sections(story, lambda figure: drawn.append(figure) or "") == ""
    story = SimpleNamespace(cells=DARTS.cells(DARTS.parse(FLAT)), epochs=EPOCHS, rows=ROWS)
    html = sections(story, lambda figure: drawn.append(figure) or "<drawn>")
    assert html.count("<h2>") == html.count("<drawn>") == len(drawn) == 3
    assert "2 decisions" in html
    assert "1 had no margin at all" in html
