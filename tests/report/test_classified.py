"""Labels on the terminal and as CSV: every file once, nothing that a terminal would obey."""

from __future__ import annotations

import csv
import io
import os

from surgenas.report.classified import COMMON, SHOWN, count_line, labels_table, to_csv
from surgenas.studies.classify import Classified, Labelled, Likely
from surgenas.tasks.table_file import meaning_of

FOUND = Classified(
    "run/model.onnx",
    (
        Labelled("a/1.jpg", "cat", 0.97, (Likely("dog", 0.02),)),
        Labelled('a/2, "big".jpg', "[bold]dog", 0.6, (Likely("cat", 0.3),)),
        Labelled("a/3.jpg", "cat", 0.5, (Likely("dog", 0.4),)),
    ),
    (),
)


def test_a_row_for_each_image_and_how_many_there_are_of_each_class():
    lines = labels_table(FOUND).splitlines()
    assert lines[0].split() == ["file", "class", "probability", "next", "best"]
    assert lines[1].split() == ["a/1.jpg", "cat", "97.0%", "dog", "2.0%"]
    assert "[bold]dog" in lines[2]
    assert lines[-1] == "3 image(s): 2 cat, 1 [bold]dog"


def test_of_many_images_the_first_are_shown_and_of_many_classes_the_most_frequent_counted():
    many = Classified("m", tuple(Labelled(f"{i}.jpg", f"c{i % 30}", 0.5, ()) for i in range(SHOWN + 20)), ())
    text = labels_table(many)
    assert f"{SHOWN - 1}.jpg" in text
    assert f"{SHOWN}.jpg" not in text
    assert "and 20 more; --csv FILE and --json have all" in text
    assert "next best" not in text
    assert count_line(many).count("34 c") == COMMON
    assert f"{30 * 34 - COMMON * 34} of other classes" in count_line(many)


def test_csv_is_read_again_as_it_was_and_could_be_a_table_of_images():
    rows = list(csv.reader(io.StringIO(to_csv(FOUND).decode())))
    assert rows[0] == ["file", "class", "probability", "class_2", "probability_2"]
    assert [meaning_of(name) for name in rows[0]] == ["path", "label", "", "", ""]
    assert rows[2] == ['a/2, "big".jpg', "[bold]dog", "0.600000", "cat", "0.300000"]
    assert len(rows) == 4


def test_a_name_of_any_bytes_keeps_them_in_csv_and_does_nothing_to_a_terminal():
    name = b"\xff\x1b[31m.jpg"
    found = Classified("m", (Labelled(os.fsdecode(name), "cat", 1.0, ()),), ())
    assert name in to_csv(found)
    text = labels_table(found)
    assert "\x1b" not in text
    assert "[31m.jpg" in text
    assert text.encode()
