"""All smaller versions of timm's networks: what can be chosen, what it makes, and what is one and the same network."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.errors import UsageError
from surgenas.nn.elastic.supernet import resized
from surgenas.spaces import make_space, space_of
from surgenas.spaces.elastic import Elastic
from surgenas.spaces.elastic_space import OFF
from surgenas.testing import check_space

CONVNEXT = {"network": "test_convnext", "resolution": 32, "classes": 3}
"""Widths, blocks and depthwise kernels of 7 pixels."""
EFFICIENT = {"network": "lcnet_035", "resolution": 32, "classes": 3, "inputs": 3}
"""Batch norms, and inputs of 16, 24 and 32 pixels."""
RESNET = {"network": "resnet10t", "resolution": 32, "classes": 3}
each = pytest.mark.parametrize("how", [CONVNEXT, EFFICIENT, RESNET], ids=lambda how: how["network"])
seeds = st.integers(0, 2**32)


def space(how) -> Elastic:
    return _made(tuple(how.items()))


@cache
def _made(how) -> Elastic:
    return Elastic(**dict(how))


def drawn(how, seed: int) -> Architecture:
    return moves.sample(space(how), np.random.default_rng(seed))


def sizes(how, kind: str) -> list[tuple[int, ...]]:
    return [part.sizes for part in space(how).decisions if part.kind == kind]


@each
def test_it_keeps_the_contract_of_spaces(how):
    check_space(space(how), trials=1)


def test_choices_come_in_the_order_in_which_the_network_runs():
    names = [choice.name for choice in space(CONVNEXT).choices]
    block = "stages.0.blocks.0"
    assert names[:4] == ["width stem.0", f"block {block}", f"kernel {block}.conv_dw", f"width {block}.mlp.fc1"]
    assert set(sizes(CONVNEXT, "kernel")) == {(3, 5, 7)}
    assert set(sizes(CONVNEXT, "block")) == {(0, 1)}
    assert space(EFFICIENT).choices[0].name == "input"
    assert space(EFFICIENT).choices[0].options == ("16", "24", "32")


@pytest.mark.parametrize("widths", [1, 2, 4, 8])
def test_widths_are_spread_evenly_up_to_all(widths):
    """A group of 128 units in multiples of 8 has 16 widths; asked for 8, it offers eighths."""
    groups = space(RESNET).structure.groups
    offered = {part.name: part.sizes for part in space({**RESNET, "widths": widths}).decisions if part.kind == "width"}
    (large, *_) = (group for group in groups if group.size == 128)
    assert offered[large.name] == tuple(128 * (i + 1) // widths for i in range(widths))
    assert all(offered[group.name][-1] == group.size for group in groups)
    assert all(set(offered[group.name]) <= set(group.widths) for group in groups)


def test_no_count_of_widths_offers_all_multiples():
    every = [part.sizes for part in space({**RESNET, "widths": 0}).decisions if part.kind == "width"]
    assert sorted(every) == sorted(group.widths for group in space(RESNET).structure.groups)


@pytest.mark.parametrize(
    ("resolution", "inputs", "sides"),
    [(64, 1, []), (64, 2, [(32, 64)]), (64, 3, [(32, 48, 64)]), (64, 64, [(32, 40, 48, 56, 64)]),
     (50, 3, [(24, 40, 50)])],
)  # fmt: skip
def test_inputs_are_from_half_of_the_largest_up_in_multiples_of_8(resolution, inputs, sides):
    assert sizes({**RESNET, "resolution": resolution, "inputs": inputs}, "input") == sides


@each
def test_the_largest_is_the_network_itself(how):
    whole, images = space(how).whole().eval(), torch.randn(2, *space(how).input_shape)
    largest = space(how).cut(whole, space(how).largest())
    with torch.no_grad():
        assert torch.equal(largest(images), whole(images))
    assert space(how).input_of(space(how).largest()) == space(how).input_shape
    assert space(how).uniform(1.0) == space(how).largest()


@each
def test_a_uniform_network_keeps_one_share_of_every_group_and_all_else(how):
    half = space(how).uniform(0.5)
    for part, gene in zip(space(how).decisions, half.genes, strict=True):
        if part.kind != "width":
            assert gene == part.choice.options[-1]
        else:
            least = min(abs(size - 0.5 * part.sizes[-1]) for size in part.sizes)
            assert abs(int(gene) - 0.5 * part.sizes[-1]) == least


@given(seed=seeds)
@settings(max_examples=2, deadline=None)
def test_an_architecture_file_makes_the_same_network_again(seed):
    """From name, settings, genes and weights."""
    arch = drawn(EFFICIENT, seed)
    again = Architecture.from_json(arch.to_json())
    assert again == arch
    network, images = space(EFFICIENT).build(arch).eval(), torch.randn(2, *space(EFFICIENT).input_of(arch))
    other = space_of(again).build(again).eval()
    other.load_state_dict(network.state_dict())
    with torch.no_grad():
        assert torch.equal(other(images), network(images))


@each
def test_a_path_of_the_supernet_is_the_cut_network_bit_for_bit(how):
    torch.manual_seed(0)
    supernet, images = space(how).supernet().eval(), torch.randn(2, *space(how).input_shape)
    whole = space(how).whole().eval()
    whole.load_state_dict(supernet.network.state_dict())
    for seed in range(3):
        arch = drawn(how, seed)
        small = resized(images, space(how).input_of(arch)[1])
        with torch.no_grad():
            found = supernet.at(images, moves.indices(space(how), arch))
            assert torch.equal(found, space(how).cut(whole, arch)(small))
            assert torch.equal(
                found, supernet.cut(moves.indices(space(how), arch), space(how).build(arch)).eval()(small)
            )


@given(seed=seeds)
@settings(max_examples=5, deadline=None)
def test_what_a_block_that_is_off_hides_makes_no_difference(seed):
    arch = drawn(CONVNEXT, seed)
    one = space(CONVNEXT).canonical(arch)
    assert space(CONVNEXT).canonical(one) == one
    torch.manual_seed(0)
    whole, images = space(CONVNEXT).whole().eval(), torch.randn(2, *space(CONVNEXT).input_shape)
    first, second = (space(CONVNEXT).cut(whole, a) for a in (arch, one))
    with torch.no_grad():
        assert torch.equal(first(images), second(images))
    assert [p.shape for p in first.parameters()] == [p.shape for p in second.parameters()]
    macs = space(CONVNEXT).costs().macs_of(moves.encode(space(CONVNEXT), [arch, one]))
    assert macs[0] == pytest.approx(macs[1])


def test_only_what_lies_in_a_block_that_is_off_is_hidden():
    found, parts = space(CONVNEXT), space(CONVNEXT).decisions
    smallest = found.architecture(tuple(choice.options[0] for choice in found.choices))
    canonical = dict(zip(parts, found.canonical(smallest).genes, strict=True))
    inside = {part for part in parts if ".blocks." in part.name and part.kind != "block"}
    assert {part for part, gene in canonical.items() if gene == part.choice.options[-1]} == inside
    assert all(gene == OFF for part, gene in canonical.items() if part.kind == "block")
    on = found.uniform(0.25)
    assert found.canonical(on) is on


@each
def test_of_the_largest_all_is_kept_and_of_smaller_ones_a_share(how):
    found = space(how)
    whole = found.kept(found.largest())
    assert len(whole) == len(found.decisions)
    assert {row.share for row in whole} == {1.0}
    least = found.architecture(tuple(part.choice.options[part.kind == "block"] for part in found.decisions))
    kept, offered = found.kept(least), {part.name: part.sizes for part in found.decisions if part.kind == "width"}
    widths = {row.part: row.said for row in kept if row.kind == "width"}
    assert widths == {name: f"{sizes[0]} of {sizes[-1]}" for name, sizes in offered.items()}
    assert all(0 < row.share < 1 for row in kept if row.part in offered)


def test_of_a_block_that_is_off_no_part_is_told():
    found = space(CONVNEXT)
    genes = tuple(OFF if part.kind == "block" else gene
                  for part, gene in zip(found.decisions, found.largest().genes, strict=True))  # fmt: skip
    rows = found.kept(found.architecture(genes))
    assert len(rows) < len(found.decisions)
    assert {row.share for row in rows if row.kind == "block"} == {0.0}


def test_sorting_leaves_what_the_network_computes():
    torch.manual_seed(0)
    whole, images = space(RESNET).whole().eval(), torch.randn(2, *space(RESNET).input_shape)
    with torch.no_grad():
        before, first = whole(images), whole.get_parameter("layer1.0.conv1.weight").clone()
        space(RESNET).sort(whole)
        assert torch.allclose(whole(images), before, atol=1e-5 * float(before.abs().max()))
    assert not torch.equal(whole.get_parameter("layer1.0.conv1.weight"), first)


def test_what_it_finds_out_leaves_the_random_state_alone():
    before = torch.get_rng_state()
    assert len(Elastic(network="test_resnet", resolution=24, classes=7).choices) == 12
    assert torch.equal(torch.get_rng_state(), before)


def test_the_look_is_that_of_the_published_weights():
    assert space(RESNET).look().mean == pytest.approx((0.485, 0.456, 0.406))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"resolution": "many"}, "elastic: resolution 'many': expected a whole number from 8 to 2048"),
        ({"resolution": float("inf")}, "resolution inf: expected a whole number"),
        ({"classes": 1}, "classes 1: expected a whole number from 2"),
        ({"widths": 2.5}, "widths 2.5: expected a whole number from 0 to 1000"),
        ({"inputs": 0}, "inputs 0: expected a whole number from 1 to 64"),
        ({"network": 5}, "network 5: expected a name that timm knows"),
        ({"network": "resnet10_t"}, "'resnet10_t' is no network of timm.*resnet10t"),
        (
            {"network": "test_vit", "resolution": 160, "inputs": 3},
            "test_vit cannot take images of 120 px .*use inputs=1",
        ),
        ({"colour": 1}, "has no setting 'colour'; one of network"),
    ],
)
def test_what_makes_no_space_is_one_line(how, said):
    with pytest.raises(UsageError, match=said) as caught:
        _ = make_space("elastic", {"network": "test_resnet", "resolution": 32, "classes": 3, **how}).choices
    assert "\n" not in str(caught.value)


def test_a_network_of_which_nothing_can_shrink_is_no_space(monkeypatch):
    def plain(name, classes, side):
        return torch.nn.Sequential(torch.nn.Conv2d(3, 4, side), torch.nn.Flatten(), torch.nn.Linear(4, classes))

    monkeypatch.setattr("surgenas.spaces.elastic.make_network", plain)
    with pytest.raises(UsageError, match="nothing of plain can shrink"):
        _ = Elastic(network="plain", resolution=8, classes=3).choices


def test_what_cannot_be_smaller_is_said_with_why():
    assert space(RESNET).describe().endswith("of resnet10t can be smaller"), "but for its ends, all of it"
    said = space({"network": "edgenext_xx_small", "resolution": 64, "classes": 4}).describe()
    assert "cannot: " in said
    assert "stages.2.blocks.5.xca.qkv (only 4 units, kept in multiples of 4)" in said
