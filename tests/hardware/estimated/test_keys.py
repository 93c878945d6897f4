"""An estimator is a dataclass: its fields are the keys of a file, its paths are relative to the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from surgenas.core.errors import UsageError
from surgenas.hardware.estimated.keys import make_estimator
from surgenas.testing import ToyDevice


@dataclass(frozen=True, kw_only=True)
class Priced(ToyDevice):
    name: str
    table: Path
    rate: float = 1.0
    sizes: tuple[int, ...] = ()


def test_keys_become_fields(tmp_path):
    made = make_estimator(Priced, "mine", {"table": "a/b.json", "rate": 2, "sizes": [1, 2]}, tmp_path)
    assert made == Priced(name="mine", table=tmp_path / "a" / "b.json", rate=2.0, sizes=(1, 2))
    elsewhere = make_estimator(Priced, "mine", {"table": str(tmp_path / "c.json")}, Path("folder"))
    assert elsewhere.table == tmp_path / "c.json"


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({}, "table: field required; known keys: estimator, table, rate, sizes"),
        ({"table": "x", "name": "other"}, "name: extra inputs are not permitted"),
        ({"table": 3}, "table: input should be a valid string"),
        ({"table": "x", "rate": True}, "rate: input should be a valid number"),
        ({"table": "x", "sizes": ["a"]}, "sizes.0: input should be a valid integer"),
    ],
)
def test_a_key_that_is_wrong_is_named(keys, named):
    with pytest.raises(UsageError, match=named):
        make_estimator(Priced, "mine", keys, Path())


@dataclass(frozen=True)
class Priceless:
    name: str


def test_a_class_that_prices_nothing_is_refused():
    with pytest.raises(UsageError, match="Priceless, which has no `price`"):
        make_estimator(Priceless, "mine", {}, Path())
    with pytest.raises(UsageError, match="expected a dataclass"):
        make_estimator(len, "mine", {}, Path())
