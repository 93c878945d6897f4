"""What holds for every catalogued space: it knows its costs, a cut network computes what the supernet does, JSON."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core import moves
from surgenas.core.architecture import Architecture, SpaceSpec
from surgenas.core.capabilities import SharesWeights
from surgenas.core.errors import UsageError
from surgenas.core.space import CostTable, Space
from surgenas.nn.cost import count
from surgenas.spaces import CATALOG, make_space, space_of

SMALL: dict[str, dict[str, str | int | float]] = {
    "nasbench201": {"resolution": 8, "classes": 3},
    "fbnet": {"resolution": 8, "classes": 3},
    "macro": {"resolution": 8, "classes": 3},
    "darts": {"resolution": 8, "classes": 3, "channels": 4, "layers": 3},
    "concat": {"resolution": 8, "classes": 3, "links": "0,3,40"},
    "compound": {"resolution": 16, "classes": 3, "widths": "0.5,0.505,1", "depths": "0.6,1", "operators": "k3e3,k5e6"},
    "elastic": {"network": "test_resnet", "resolution": 32, "classes": 3},
    "operators": {"layout": "small", "resolution": 16, "classes": 3, "pool": "sep_k5_se,mb_k3e6,choice_k7,choice_x"},
}
names = pytest.mark.parametrize("name", CATALOG)
WITHOUT_SUPERNET = ("concat", "compound")
sharing = pytest.mark.parametrize("name", [name for name in CATALOG if name not in WITHOUT_SUPERNET])
seeds = st.integers(0, 2**32)


@cache
def space(name: str) -> Space:
    return make_space(name, SMALL.get(name, {"layout": "small", "resolution": 16, "classes": 3}))


@cache
def costs_of(name: str) -> CostTable:
    return space(name).costs()


def arch_of(name: str, seed: int) -> Architecture:
    return moves.sample(space(name), np.random.default_rng(seed))


@names
@given(seed=seeds)
@settings(max_examples=2, deadline=None)
def test_what_the_costs_say_of_an_architecture_is_its_network_as_built(name, seed):
    arch, costs = arch_of(name, seed), costs_of(name)
    code = moves.encode(space(name), [arch])
    with torch.device("meta"):
        network = space(name).build(arch)
        macs, params = count(network, space(name).input_of(arch))
    if not costs.adds_up:
        params = sum(p.numel() for p in network.parameters() if p.ndim > 1)  # norms and biases are not counted
    counts_MD = costs.counts(torch.from_numpy(code))[0]
    assert costs.macs_of(code)[0] == pytest.approx(macs)
    assert float(counts_MD[:, 1].sum()) + costs.fixed_params == pytest.approx(params)


@names
def test_a_table_has_a_row_for_every_layer_and_no_cost_below_zero(name):
    costs, rows = costs_of(name), space(name).rows
    assert costs.macs.shape == costs.params.shape == costs.moved_bytes.shape
    assert costs.macs.shape[0] == len(costs.geometry) == len(costs.edges) == len(rows)
    assert costs.macs.shape[1] >= max(len(row.options) for row in rows)
    assert min(costs.macs.min(), costs.params.min(), costs.moved_bytes.min(), costs.fixed_macs) >= 0
    assert ((costs.macs > 0) <= (costs.moved_bytes > 0)).all(), "what computes moves bytes"
    assert 0 <= costs.fixed_before <= len(costs.fixed_geometry)


@cache
def used_supernet(name: str) -> torch.nn.Module:
    """Its statistics are not those of a fresh network."""
    torch.manual_seed(0)
    supernet = space(name).supernet().train()
    with torch.no_grad():
        for seed in range(2):
            supernet.at(torch.randn(4, *space(name).input_shape), moves.path_of(space(name), arch_of(name, seed)))
    for norm in getattr(supernet, "left_out", ()):  # what no cut network has
        norm.reset_running_stats()
        norm.eps = 0.0
    return supernet.eval()


@sharing
@given(seed=seeds)
@settings(max_examples=3, deadline=None)
def test_a_network_with_the_supernets_weights_computes_what_it_does(name, seed):
    arch = arch_of(name, seed)
    path, images = moves.path_of(space(name), arch), torch.randn(2, *space(name).input_shape)
    supernet = used_supernet(name)
    with torch.no_grad():
        network = supernet.cut(path, space(name).build(arch)).eval()
        assert torch.allclose(network(images), supernet.at(images, path), rtol=1e-4, atol=1e-5)


@names
@given(seed=seeds)
@settings(max_examples=10, deadline=None)
def test_an_architecture_file_rebuilds_its_space(name, seed):
    arch = arch_of(name, seed)
    again = Architecture.from_json(arch.to_json())
    assert again == arch
    assert space_of(again).choices == space(name).choices
    assert space_of(again).spec == space(name).spec
    assert space(name).canonical(space(name).canonical(arch)) == space(name).canonical(arch)


@names
def test_settings_rebuild_the_space_and_are_plain_values(name):
    made = make_space(name, {})
    assert make_space(name, made.settings).spec == made.spec
    assert all(isinstance(value, str | int | float) for value in made.settings.values())
    assert made.name == name


@names
def test_spaces_share_weights_but_for_these(name):
    assert isinstance(space(name), SharesWeights) == (name not in WITHOUT_SUPERNET)


def test_a_space_of_another_package_goes_by_its_path():
    assert make_space("surgenas.testing:Planted", {}).name == "planted"


@pytest.mark.parametrize(
    ("name", "given_settings", "said"),
    [
        ("mobil", {}, "unknown space 'mobil'; one of compound, concat, darts, elastic, fbnet"),
        ("macro", {"colour": 1}, "space 'macro' has no setting 'colour'; one of classes, resolution"),
        ("json:loads", {"s": "{}"}, "'json:loads' is not a search space; one of mobile"),
        ("macro", {"classes": "many"}, "macro: classes 'many': expected a whole number"),
    ],
)
def test_what_makes_no_space_is_named(name, given_settings, said):
    with pytest.raises(UsageError, match=said):
        make_space(name, given_settings)


def test_an_architecture_file_cannot_make_us_import_a_module():
    for name in ("surgenas.testing:Planted", "planted"):
        arch = Architecture(SpaceSpec(name), ("k3e3",) * 6)
        with pytest.raises(UsageError, match=f"unknown space '{name}' in the architecture; one of mobile"):
            space_of(arch)


def test_an_architecture_whose_genes_do_not_fit_its_space_is_refused():
    with pytest.raises(UsageError, match="has 8 choices, the architecture 2"):
        space_of(Architecture(make_space("macro", {}).spec, ("skip", "skip")))
    with pytest.raises(UsageError, match="another space"):
        space_of(Architecture(SpaceSpec("macro"), ("skip",) * 8))
