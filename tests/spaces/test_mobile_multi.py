"""Several choices a layer: what each does to the network, and what belongs together."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgenas.core import moves
from surgenas.core.capabilities import Layered
from surgenas.core.errors import UsageError
from surgenas.nn.either import Either
from surgenas.spaces.mobile_multi import VARIABLES, MobileMulti

SPACE = MobileMulti(layout="small", resolution=16, classes=3)


def with_genes(**genes):
    """The largest network, but these genes in layer 3."""
    named = {f"stage2.layer1.{name}": gene for name, gene in genes.items()}
    return SPACE.architecture(tuple(named.get(c.name, c.options[-1]) for c in SPACE.choices))


def test_every_layer_makes_four_decisions_which_are_24_combinations():
    assert isinstance(SPACE, Layered)
    assert len(SPACE.choices) == 4 * 11
    assert moves.size(SPACE) == 24**11
    for layer, rows in enumerate(SPACE.layers()):
        assert rows == tuple(range(4 * layer, 4 * layer + 4))
        assert [SPACE.choices[row].name.rpartition(".")[2] for row in rows] == list(VARIABLES)


def test_each_variable_changes_its_part_of_the_block_alone():
    def block(**genes):
        return SPACE.build(with_genes(**genes)).layers[2]

    whole = block()
    assert whole.conv_dw.kernel_size == (7, 7)
    assert whole.conv_pw.out_channels == 6 * 16
    assert block(kernel="3").conv_dw.kernel_size == (3, 3)
    assert block(expansion="3").conv_pw.out_channels == 3 * 16
    x = torch.randn(2, 96, 8, 8)
    assert torch.equal(block(excitation="off").se(x), x)
    assert not torch.equal(whole.se(x), x)
    acts = [module for module in block(activation="relu").modules() if isinstance(module, Either)]
    assert {act.kind for act in acts} == {0}
    assert isinstance(acts[0].alternatives[0], nn.ReLU6)


def test_all_of_it_computes_what_the_supernet_does_with_its_weights():
    supernet, x = SPACE.supernet().eval(), torch.randn(2, 3, 16, 16)
    arch = with_genes(kernel="5", expansion="3", excitation="off", activation="relu")
    network = supernet.cut(moves.indices(SPACE, arch), SPACE.build(arch)).eval()
    with torch.no_grad():
        assert torch.equal(network(x), supernet.at(x, moves.indices(SPACE, arch)))


def test_widths_are_decided_once_a_stage_from_half_up():
    space = MobileMulti(layout="small", resolution=16, classes=3, widths=3)
    widths = [c for c in space.choices if c.name.endswith(".width")]
    assert [c.options for c in widths] == [("8", "16"), ("16", "24", "32"), ("40", "56", "64"), ("64", "80", "96")]
    assert [len(rows) for rows in space.layers()].count(1) == 4
    assert sorted(row for rows in space.layers() for row in rows) == list(range(len(space.choices)))
    narrow = space.build(space.architecture(tuple(c.options[0] for c in space.choices)))
    assert [block.conv_pwl.out_channels for block in narrow.layers] == [8, 8, *[16] * 3, *[40] * 3, *[64] * 3]


def test_its_parts_have_names_and_say_what_is_taken_in_them():
    arch = with_genes(kernel="3")
    names = [name for name, _ in SPACE.parts(arch)]
    assert names[:2] == ["stem", "stage1.layer1"]
    assert moves.taken_in(SPACE, arch, "stage2.layer1") == "3-6-on-hard-swish"
    assert moves.taken_in(SPACE, arch, "stem") == "fixed"


def test_what_it_cannot_be_is_refused():
    with pytest.raises(UsageError, match="unknown layout 'tiny'"):
        MobileMulti(layout="tiny")
    with pytest.raises(UsageError, match="widths 0: expected a whole number from 1 to 64"):
        MobileMulti(widths=0)
    with pytest.raises(UsageError, match="has no alternative 2"):
        SPACE.structure.check(type(SPACE.structure.at(1.0))(kinds={"layers.0.bn1.act": 2}))
