"""Each kind of failure has an exit code of its own, and a schema's complaint names the field."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from surgenas.core import errors
from surgenas.core.errors import SurgenasError, complaint

CODES = {
    "SurgenasError": 1, "UsageError": 2, "EnvironmentFault": 3, "DataError": 4, "LimitError": 5, "NoisyError": 6,
    "CorruptError": 7, "Interrupted": 130,
}  # fmt: skip


def test_exit_codes_are_those_that_scripts_rely_on():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, SurgenasError)]
    assert {kind.__name__: kind.exit_code for kind in kinds} == CODES
    assert len(set(CODES.values())) == len(CODES)


@pytest.mark.parametrize("name", CODES)
def test_every_failure_is_caught_as_one_and_prints_its_line(name):
    with pytest.raises(SurgenasError) as caught:
        raise getattr(errors, name)("one line")
    assert str(caught.value) == "one line"


class Inner(BaseModel):
    sizes: list[int]


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    inner: Inner
    name: str = ""


@pytest.mark.parametrize(
    ("record", "where", "expected"),
    [
        ({}, "inner", "field required"),
        ({"inner": {"sizes": [1, "x"]}}, "inner.sizes.1", "input should be a valid integer"),
        ({"inner": {"sizes": []}, "colour": 1}, "colour", "extra inputs are not permitted"),
        ([], "the file", "input should be a valid dictionary"),
        ({"inner": {}, "name": 3}, "inner.sizes", "field required"),
    ],
)
def test_a_complaint_is_the_first_place_and_what_it_expected(record, where, expected):
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(record)
    place, said = complaint(caught.value)
    assert place == where
    assert said.startswith(expected)
