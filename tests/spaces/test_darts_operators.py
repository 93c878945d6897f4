"""The operators of edges: as many edges as cells have, and S1 to S4 as they are published."""

from __future__ import annotations

from surgenas.spaces.darts_operators import ALL, PAIRS, SETS, WIRING


def test_a_cell_has_fourteen_edges_and_nodes_choose_among_one_to_ten_pairs():
    assert len(WIRING) == 14
    assert [len(pairs) for pairs in PAIRS.values()] == [1, 3, 6, 10]
    assert all(len(edges) == 14 for cells in SETS.values() for edges in cells)


def test_the_small_spaces_have_the_operators_that_are_published():
    assert {name: {o for cell in cells for edge in cell for o in edge} for name, cells in SETS.items()} == {
        "all": set(ALL),
        "s1": set(ALL) - {"sep_conv_5x5"},
        "s2": {"skip_connect", "sep_conv_3x3"},
        "s3": {"none", "skip_connect", "sep_conv_3x3"},
        "s4": {"noise", "sep_conv_3x3"},
    }
    assert all(len(edge) == 2 for cell in SETS["s1"] for edge in cell)
