"""What a person reads of spaces and methods: a line for each, all of those that are named."""

from __future__ import annotations

from dataclasses import replace

from surgenas.report.catalogue_text import methods_list, methods_table, space_list
from surgenas.studies import describe as study


def test_a_list_has_a_line_for_each_and_says_where_more_is():
    spaces = space_list(study.spaces())
    assert sum(line.split()[:1] == ["mobile"] for line in spaces.splitlines()) == 1, "not one for each layout"
    assert "compound" in spaces
    assert spaces.splitlines()[-1].startswith("surgenas spaces NAME shows")
    methods = methods_list(study.methods())
    rows = {line.split()[0]: line for line in reversed(methods.splitlines()) if line.strip()}
    assert "share weights" in rows["surgenas"]
    assert "trained alone" in rows["random"]
    assert not {"share", "alone"} & set(rows["drawn"].split()), "it judges no candidates"
    assert "process" in rows
    assert "warmup" not in methods, "settings are of those that are named"


def test_a_method_without_settings_has_no_table_of_them():
    found = study.methods()
    drawn = methods_table(replace(found, methods={"drawn": found.methods["drawn"]}))
    assert drawn.startswith("drawn (space mobile; trains no candidates)")
    assert "meaning" not in drawn
    random = methods_table(replace(found, methods={"random": found.methods["random"]}))
    assert "trains candidates by themselves" in random
    assert "meaning" in random
