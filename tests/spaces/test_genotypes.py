"""Genotypes as they are published: read as data, written as they were, refused with what is wrong."""

from __future__ import annotations

import pytest

from surgenas.core.errors import UsageError
from surgenas.spaces.genotypes import genotype_text, parse_genotype

SEP = "sep_conv_3x3"
FLAT = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 1), "
    "('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 2)], normal_concat=range(2, 6), "
    "reduce=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), "
    "('skip_connect', 3), ('skip_connect', 2), ('skip_connect', 3)], reduce_concat=range(2, 6))"
)


def cells(normal: str, reduce: str = "") -> str:
    eight = ", ".join(["('a', 0), ('b', 1)"] * 4)
    return f"Genotype(normal=[{normal or eight}], reduce=[{reduce or eight}])"


def test_a_text_comes_back_as_it_was():
    assert genotype_text(*parse_genotype(FLAT)) == FLAT


def test_pairs_may_come_in_a_list_for_each_node_and_the_concatenation_as_a_list():
    node = "[('a', 0), ('b', 1)]"
    text = cells(", ".join([node] * 4), ", ".join([node] * 4)).replace("reduce=", "normal_concat=[2, 3, 4, 5], reduce=")
    assert parse_genotype(text) == ([("a", 0), ("b", 1)] * 4,) * 2


@pytest.mark.parametrize(("text", "said"), [
    ("", "not a genotype: ''"),
    ("sep_conv_3x3", "not a genotype: 'sep_conv_3x3'"),
    ("Genotype(1, 2)", "not a genotype"),
    ("Genotype(normal=open('x'))", "not a genotype"),
    ("Genotype(normal=[('a', 0)], reduce=[])", "normal has not two pairs for each of 4 nodes"),
    (cells("", "('a', 0), 3, " + ", ".join(["('a', 0)"] * 6)), "reduce has not two pairs"),
    (cells("", "('a', 0), ('b', True), " + ", ".join(["('a', 0), ('b', 1)"] * 3)), "reduce has not two pairs"),
    (cells("('a', 0), ('b', 0), " + ", ".join(["('a', 0), ('b', 1)"] * 3)), "node 2 of normal reads node 0 twice"),
    (cells("('a', 0), ('b', 2), " + ", ".join(["('a', 0), ('b', 1)"] * 3)), "node 2 of normal reads [0, 2]"),
    (cells("").replace("reduce=", "normal_concat=range(3, 6), reduce="), "normal_concat is range(3, 6)"),
    (cells("").replace("reduce=", "normal_concat=5, reduce="), "normal_concat is 5"),
    (cells("").replace("reduce=", "normal_concat=range(10**12), reduce="), "not a genotype"),
])  # fmt: skip
def test_any_other_text_is_refused_in_one_line(text, said):
    with pytest.raises(UsageError) as caught:
        parse_genotype(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
