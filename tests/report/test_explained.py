"""What explains accuracy, in a line and in a table: the best model, MACs and parameters beside it, what was refused."""

from __future__ import annotations

from surgenas.accuracy.explained import Explained, ModelScore
from surgenas.report.explained import explained_line, section

FALLS = "mass does not explain these samples: accuracy falls with it"
MODELS = (
    ModelScore("degree", 0.011, 0.9, 0.8, 0.02, 0.985),
    ModelScore("ridge", 0.015, 0.8, 0.7),
    ModelScore("macs", 0.02, 0.6, 0.5, 0.1, 0.9),
    ModelScore("<b>", 0.03, 0.5, 0.4),
    ModelScore("mass", 0.04, -0.1, -0.1, -0.3, 1.5, FALLS),
)
FOUND = Explained(25, 0.031, MODELS, "degree")


def test_the_line_tells_the_best_and_macs_before_other_models():
    (line,) = explained_line(FOUND)
    assert line == (
        "accuracy of the first 25 networks: degree explains it best (held out: off by 1.10 points, rank 0.90); macs "
        "(held out: off by 2.00 points, rank 0.60); ridge (held out: off by 1.50 points, rank 0.80); refused: mass"
    )
    assert explained_line(None) == []


def test_where_nothing_explains_it_is_said():
    (line,) = explained_line(Explained(1, 0.0, (ModelScore("mass", None, None, None, 0.0, 1.0, "one"),), ""))
    assert line == "accuracy of the first 1 networks: no model explains it, so the last ones were drawn at random"


def table(head, rows):
    return "|".join(map(str, [*head, *(cell for row in rows for cell in row)]))


def test_a_model_that_is_no_better_than_the_mean_is_not_praised():
    """As of networks that all guess: the held-out error is above the spread."""
    found = Explained(25, 0.010, MODELS, "degree")
    assert "no model predicts it better than its mean does; the least wrong is degree (held" in explained_line(found)[0]
    assert "No model predicts it better than its mean does, so" in section(found, table)


def test_the_section_has_a_row_for_every_model():
    html = section(FOUND, table)
    assert "degree|1.10 points|0.90|0.80|0.02|0.985|used|ridge|1.50 points|0.80|0.70||||macs" in html
    assert f"mass|4.00 points|-0.10|-0.10|-0.3|1.5|{FALLS}" in html
    assert "which spread by 3.10 points" in html
    assert "No model" not in html
    assert section(None, table) == ""
    few = Explained(2, 0.0, (ModelScore("macs", None, None, None, 0.1, 0.9),), "macs")
    assert "macs|-|-|-|0.1|0.9|used" in section(few, table)
