"""A catalogued name and a path lead to the same object; anything else is told which names there are."""

from __future__ import annotations

import collections
import json

import pytest

from surgenas import methods, predictors, spaces
from surgenas.core.catalog import look_up, make
from surgenas.core.errors import UsageError

ENTRIES = {"ordered": "collections:OrderedDict", "loads": "json:loads", "gone": "collections:Gone"}


def test_a_catalogued_name_is_what_its_path_leads_to():
    assert look_up("thing", "ordered", ENTRIES) is collections.OrderedDict
    assert look_up("thing", "loads", ENTRIES) is json.loads


def test_a_path_in_a_names_place_needs_no_entry():
    assert look_up("thing", "json:dumps", {}) is json.dumps


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("unordered", "unknown thing 'unordered'; one of gone, loads, ordered, or a path like package.module:Object"),
        ("", "unknown thing ''; one of"),
        ("collections.OrderedDict", "unknown thing 'collections.OrderedDict'; one of"),
        ("gone", "thing 'gone' cannot be loaded: .*no attribute 'Gone'; one of gone, loads, ordered"),
        (
            "no_such_module:X",
            "thing 'no_such_module:X' cannot be loaded: No module named 'no_such_module' .PYTHONPATH=FOLDER",
        ),
        (":X", "thing ':X' cannot be loaded: Empty module name"),
        ("json:", "thing 'json:' cannot be loaded"),
        ("json:loads:twice", "thing 'json:loads:twice' cannot be loaded"),
    ],
)
def test_what_leads_nowhere_is_named_with_what_would_do(name, said):
    with pytest.raises(UsageError, match=said):
        look_up("thing", name, ENTRIES)


def test_a_module_that_fails_as_it_is_imported_is_named_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, text, said in [
        ("broken_a", "def f(:", "SyntaxError"),
        ("broken_b", "1 / 0", "ZeroDivisionError: division by zero"),
        ("broken_c", "import sys; sys.exit(3)", "SystemExit: 3"),
    ]:
        (tmp_path / f"{name}.py").write_text(text)
        with pytest.raises(UsageError, match=f"thing '{name}:X' cannot be loaded: {said}") as told:
            look_up("thing", f"{name}:X", ENTRIES)
        assert "\n" not in str(told.value).replace(text, "")


def test_what_is_made_gets_its_arguments():
    assert make("thing", "ordered", ENTRIES, {"a": 1}, b=2) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("math:pi", "TypeError: 'float' object is not callable"),
        ("json:loads", "TypeError: .*missing 1 required positional argument"),
        ("os:listdir", ""),
    ],
)
def test_what_comes_from_outside_and_fails_is_named(path, said):
    arguments = ["/no/such/folder"] if path == "os:listdir" else []
    with pytest.raises(UsageError, match=f"thing '{path}' cannot be made: .*{said}"):
        make("thing", path, {}, *arguments)


def test_what_is_catalogued_fails_in_its_own_way():
    with pytest.raises(TypeError):
        make("thing", "loads", ENTRIES)


@pytest.mark.parametrize("room", [spaces, predictors, methods], ids=lambda room: room.__name__)
def test_every_catalogued_name_of_a_room_can_be_loaded(room):
    for name in room.CATALOG:
        assert callable(look_up("entry", name, room.CATALOG)), name
