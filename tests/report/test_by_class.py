"""The classes on the page and in the terminal: all of few, of many the worst, and every name escaped."""

from __future__ import annotations

import re

import torch

from surgenas.report.by_class import MANY, SHOWN, class_line, confusion_matrix, section
from surgenas.tasks.by_class import judge_classes

LABELS = torch.tensor([0] * 10 + [1] * 4)
SAID = torch.tensor([0] * 9 + [1] + [1] * 2 + [0] * 2)


def tabulate(head, rows):
    return f"<table>{head}{rows}</table>"


def drawn(found):
    return section(found, tabulate)


def many(count):
    """Of every class one image is right, but of the last ten none."""
    labels = torch.arange(count).repeat(2)
    said = labels.clone()
    said[count:] = (said[count:] + 1) % count
    said[count - 10 : count] = 0
    return judge_classes(said, labels, [f"class {i}" for i in range(count)])


def test_of_few_classes_all_are_shown():
    found = judge_classes(SAID, LABELS, ("cat", "dog"))
    text = drawn(found)
    assert "confusion" in text
    assert "Balanced accuracy, the mean of the classes' recalls: 70.00%" in text
    assert "['cat', 10, '81.82%', '90.00%', '85.71%', '78.57%']" in text
    assert "['dog', 4, '66.67%', '50.00%', '57.14%', '78.57%']" in text
    assert "confusion" in drawn(many(MANY))


def test_of_many_classes_the_worst_and_the_most_confused_pairs():
    text = drawn(many(MANY + 10))
    assert "confusion" not in text
    assert f"Of {MANY + 10} classes the {SHOWN} pairs that are confused most and the {SHOWN} of the least F1" in text
    assert all(f"['class {i}', 2, " in text for i in range(31, 40))
    assert text.count("', 2, '") == SHOWN
    assert text.count("'1 of 2']") + text.count("'2 of 2']") == SHOWN, "pairs"


def test_the_confusion_matrix_has_a_row_for_each_class_and_is_darker_where_more_are():
    text = confusion_matrix(judge_classes(SAID, LABELS, ("cat", "dog")))
    cells = re.findall(r'background:rgba\(37,99,235,([\d.]+)\)(;color:#fff)?" title="(.*?)">(\d*)', text)
    assert cells == [
        ("0.90", ";color:#fff", "cat taken for cat: 9 images, 90.0%", "9"),
        ("0.10", "", "cat taken for dog: 1 images, 10.0%", "1"),
        ("0.50", "", "dog taken for cat: 2 images, 50.0%", "2"),
        ("0.50", "", "dog taken for dog: 2 images, 50.0%", "2"),
    ]


def test_names_are_escaped_and_short_ones_may_be_alike():
    names = ("x" * 40 + "1", "x" * 40 + "2", "<b>bold</b>")
    text = confusion_matrix(judge_classes(torch.tensor([0, 1, 2]), torch.tensor([0, 1, 2]), names))
    assert "<b>" not in text
    assert text.count("&lt;b&gt;bold&lt;/b&gt;</span>") == 1
    assert text.count("<tr>") == 4


def test_a_line_tells_the_worst_classes_and_the_most_confused_pair():
    (line,) = class_line(judge_classes(SAID, LABELS, ("cat", "dog")))
    assert (
        line == "classes least F1: dog 57%, cat 86%; most confused: 2 of 4 dog taken for cat; balanced accuracy 70.00%"
    )
    assert class_line(judge_classes(LABELS, LABELS, ("cat", "dog"))) == ["classes every test image is said rightly"]
    (line,) = class_line(judge_classes(SAID, LABELS, ("cat" * 20, "dog" * 20)))
    assert "dogdogdogdogdogdogdogdo… 57%" in line
    assert len(line) < 240


def test_hardly_more_than_guessing_is_said():
    labels = torch.arange(4).repeat(5)
    (line,) = class_line(judge_classes(torch.zeros(20, dtype=torch.long), labels, ("a", "b", "c", "d")))
    assert line == "classes 25.0% is hardly more than guessing: train longer, or on more images"


def test_of_runs_of_before_nothing_is_said():
    assert drawn(None) == ""
    assert class_line(None) == []
