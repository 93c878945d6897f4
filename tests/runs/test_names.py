"""The names of networks: each kind is told from every other one, also with a number behind it."""

from __future__ import annotations

from surgenas.runs import names


def test_no_name_is_another_one_with_a_number():
    kinds = [names.FOUND, names.YARDSTICK, names.SMALLER, names.NARROWER, names.NOTHING]
    kinds += [names.RANDOM, names.EQUAL, names.AS_LONG, names.SMALLER_AS_LONG]
    assert len(set(kinds)) == len(kinds)
    assert not [one for one in kinds for other in kinds if one.removeprefix(f"{other} ").isdigit()]


def test_what_is_trained_for_as_long_as_all_took_is_known_by_its_name():
    assert names.is_as_long(names.SMALLER_AS_LONG)
    assert names.is_as_long(f"{names.AS_LONG} 2")
    assert not any(map(names.is_as_long, (names.SMALLER, f"{names.EQUAL} 1", names.FOUND)))
