"""The pools of SPOS and HURRICANE: their laws, their sizes, the published network, and what a pool may not be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core import moves
from surgenas.core.architecture import Architecture, read_space
from surgenas.core.errors import UsageError
from surgenas.nn.cost import count
from surgenas.spaces import make_space, space_of
from surgenas.spaces.layouts import LAYOUTS
from surgenas.spaces.operators import Operators, Shuffle
from surgenas.testing import check_space

SMALL = {"layout": "small", "resolution": 16, "classes": 10}
LAYERS = 11
PER_LAYER = ";".join("sep_k3,mb_k5e3" if i % 2 else "choice_x,mb_k3e1_se" for i in range(LAYERS))


@pytest.mark.parametrize(
    "space",
    [Shuffle(**SMALL), Operators(pool="sep_k7,mb_k5e6_se,choice_k3", **SMALL),
     Operators(pool=PER_LAYER, **SMALL)],
    ids=["shuffle", "one pool", "a pool a layer"],
)  # fmt: skip
def test_laws(space):
    check_space(space, trials=1)


def test_32_operators_of_four_families_in_twenty_layers():
    space = Operators()
    assert len(space.blocks) == 32
    families = [(block.family, bool(block.kernel)) for block in space.blocks.values()]
    counted = {family: families.count(family) for family in set(families)}
    assert counted == {("sep", True): 6, ("mb", True): 18, ("shuffle", True): 6, ("shuffle", False): 2}
    assert sum(block.squeeze for block in space.blocks.values()) == 16
    assert moves.size(space) == 32**20
    assert moves.size(Shuffle()) == 4**20


def test_the_published_network_has_its_published_cost():
    """323 M MACs and 3.5 M parameters (docs/methods/hurricane.md, 1), within 2 %."""
    space = Shuffle()
    macs, params = count(space.build(space.parse("spos")), space.input_shape)
    assert macs == pytest.approx(323e6, rel=0.02)
    assert params == pytest.approx(3.5e6, rel=0.02)


def test_se_is_the_only_difference_it_makes_to_the_output_of_a_block():
    space = Operators(**SMALL)
    slot = space.slots[2]
    x = torch.randn(2, slot.cin, 8, 8)
    for name in ("sep_k3", "choice_k3", "choice_x"):
        plain, squeezed = (space.operator(n, slot).eval() for n in (name, f"{name}_se"))
        missing, _ = squeezed.load_state_dict(plain.state_dict(), strict=False)
        assert missing
        assert all(".conv_" in key for key in missing), "SE's own weights"
        assert plain(x).shape == squeezed(x).shape == (2, slot.cout, 8 // slot.stride, 8 // slot.stride)


def test_half_of_the_channels_pass_a_shuffle_block_untouched():
    space = Shuffle(**SMALL)
    layer = next(i for i, slot in enumerate(space.slots) if slot.is_identity)
    slot = space.slots[layer]
    x = torch.randn(2, slot.cin, 4, 4)
    y = space.operator("k5", slot).eval()(x)
    assert torch.equal(y[:, : slot.cin // 2], x[:, 0::2])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_layout_can_have_the_pool(layout):
    space = Operators(layout=layout, resolution=32, classes=3, pool="sep_k3,choice_k3")
    assert space.build(moves.uniform_architecture(space, "choice_k3")).eval()(torch.randn(1, 3, 32, 32)).shape == (1, 3)


@pytest.mark.parametrize(
    ("pool", "said"),
    [(3, "expected names"),
     ("sep_k3,foo", "unknown operator 'foo'"), ("sep_k3;sep_k5", "for 2 layers"), ("sep_k3,sep_k3", "twice"),
     (",", "at least one"), (";".join(["sep_k3"] * (LAYERS - 1) + ["sep_k3,sep_k5"]), "equally many")],
)  # fmt: skip
def test_a_pool_that_makes_no_space_says_why(pool, said):
    with pytest.raises(UsageError, match=said):
        Operators(pool=pool, **SMALL)


def test_a_pool_travels_with_the_architecture_and_with_a_space_file(tmp_path):
    space = Operators(pool="sep_k3,choice_x", **SMALL)
    arch = moves.uniform_architecture(space, "choice_x")
    assert dict(arch.space.settings)["pool"] == "sep_k3,choice_x"
    assert space_of(Architecture.from_json(arch.to_json())).choices[0].options == ("sep_k3", "choice_x")
    path = tmp_path / "space.json"
    path.write_text(space.spec.to_json())
    assert read_space(path) == space.spec
    again = make_space(read_space(path).name, dict(read_space(path).settings))
    assert again.choices == space.choices


def test_a_found_network_can_be_scaled():
    space = Operators(pool="sep_k3,mb_k3e3_se", **SMALL)
    wider = space.scaled(moves.uniform_architecture(space, "mb_k3e3_se"), "width", 2.0)
    assert count(space_of(wider).build(wider), space.input_shape)[0] > 2 * space.costs().macs[:, 1].sum()


def test_every_operator_of_the_pool_keeps_the_shape_of_its_layer():
    space = Operators(**SMALL)
    with torch.device("meta"):
        for slot in space.slots[:3]:
            x = torch.empty(2, slot.cin, slot.size, slot.size)
            out = -(-slot.size // slot.stride)
            shapes = {name: space.operator(name, slot)(x).shape for name in space.blocks}
            assert set(shapes.values()) == {(2, slot.cout, out, out)}


@given(st.lists(st.sampled_from(list(Operators.blocks)), min_size=1, max_size=6, unique=True))
@settings(max_examples=30, deadline=None)
def test_a_pool_is_what_every_layer_may_take_in_its_order(names):
    pool = ",".join(names)
    one_list, per_layer = (Operators(pool=text, **SMALL) for text in (pool, ";".join([pool] * LAYERS)))
    assert {choice.options for choice in one_list.choices} == {tuple(names)}
    assert one_list.choices == per_layer.choices
    assert moves.size(one_list) == len(names) ** LAYERS


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_an_architecture_is_parsed_as_it_is_printed(seed):
    space = Operators(**SMALL)
    arch = moves.sample(space, np.random.default_rng(seed))
    assert space.parse(str(arch)) == arch
    assert space.parse(arch.genes[0]) == moves.uniform_architecture(space, arch.genes[0])


def test_the_published_network_goes_by_its_name():
    """2, 1, 0, 1, 2, 0, ... as its authors write it: Choice_7, Choice_5, Choice_3, ..."""
    assert Shuffle().parse("spos").genes[:6] == ("k7", "k5", "k3", "k5", "k7", "k3")
    assert Shuffle().parse("spos").genes[11] == "x"
    with pytest.raises(UsageError, match="has 11 choices, the architecture 20"):
        Shuffle(**SMALL).parse("spos")
