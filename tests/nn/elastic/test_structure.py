"""Shapes are values; what a network does not have is refused in the user's words."""

from __future__ import annotations

import json

import numpy as np
import pytest

from surgenas.core.errors import UsageError
from surgenas.nn.elastic.structure import Group, Member, Shape, Structure


def group(name: str, size: int, step: int) -> Group:
    index = np.arange(size)[:, None]
    return Group(
        name, size, step, (Member(f"{name}.weight", 0, index, True), Member("fc.weight", 1, index, False)), True
    )


STRUCTURE = Structure((group("stem", 20, 8), group("body", 16, 4)), (), ("block",), {"dw": 7})


def test_equal_shapes_are_equal_values():
    one = Shape({"stem": 8, "body": 4}, ("b", "a"), {"dw": 3})
    other = Shape({"body": 4, "stem": 8}, ("a", "b", "a"), {"dw": 3})
    assert one == other
    assert hash(one) == hash(other)
    assert json.dumps(one.to_json()) == json.dumps(other.to_json())
    assert Shape.from_json(json.loads(json.dumps(one.to_json()))) == one
    assert one != Shape({"stem": 8, "body": 4}, ("b", "a"))


def test_widths_are_multiples_of_the_step_and_the_whole():
    stem, body = STRUCTURE.groups
    assert stem.widths == (8, 16, 20)
    assert stem.writers == ("stem.weight",)
    assert [stem.width_at(share) for share in (0, 0.39, 0.4, 0.8, 0.99, 1)] == [8, 8, 8, 16, 16, 20]
    assert STRUCTURE.at(0.5) == Shape({"stem": 8, "body": 8})
    assert body.width_at(0.5) == 8
    assert STRUCTURE.smallest() == Shape({"stem": 8, "body": 4}, ("block",), {"dw": 3})


@pytest.mark.parametrize(("shape", "message"), [
    (Shape({"steam": 8}), "no group 'steam' can shrink; expected one of stem, body"),
    (Shape({"stem": 12}), "the group 'stem' cannot have size 12; expected one of 8, 16, 20"),
    (Shape(off=("head",)), "no block 'head' can be off; expected one of block"),
    (Shape(kernels={"pw": 3}), "no kernel 'pw' can shrink; expected one of dw"),
    (Shape(kernels={"dw": 4}), "the kernel 'dw' cannot have size 4; expected one of 3, 5, 7"),
])  # fmt: skip
def test_what_the_network_does_not_have_is_refused(shape, message):
    with pytest.raises(UsageError, match=message):
        STRUCTURE.check(shape)


def test_what_it_has_is_not_refused_and_of_many_sizes_some_are_said():
    for shape in (Shape(), STRUCTURE.smallest(), Shape({"stem": 20}, ("block",), {"dw": 7})):
        STRUCTURE.check(shape)
    many = Structure((group("wide", 100, 1),), (), (), {})
    with pytest.raises(UsageError, match=r"expected one of 1, 2, 3, 4, 5, 6, \.\.\. 100$"):
        many.check(Shape({"wide": 0}))
    with pytest.raises(UsageError, match="expected one of none"):
        many.check(Shape(off=("block",)))
