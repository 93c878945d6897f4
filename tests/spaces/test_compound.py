"""One answer for a whole network: size of images, width, depth, operator."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.core.cost import Effort
from surgenas.core.errors import UsageError
from surgenas.engine.jobs import job_of
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import all_costs
from surgenas.predictors.base import make_predictor
from surgenas.spaces import make_space
from surgenas.spaces.compound import Compound

SPACE = Compound(
    resolution=32, classes=3, sides="16,24,32", widths="0.5,0.505,1", depths="0.6,1", operators="k3e3,k5e6"
)


def test_a_network_is_built_for_the_images_that_it_takes():
    arch = SPACE.architecture(("24", "0.5", "1", "k5e6"))
    assert SPACE.input_of(arch) == (3, 24, 24)
    assert SPACE.input_shape == (3, 32, 32)
    network = SPACE.build(arch).eval()
    assert network(torch.zeros(2, 3, 24, 24)).shape == (2, 3)
    kernels = {m.kernel_size for m in network.layers.modules() if isinstance(m, torch.nn.Conv2d)}
    assert kernels == {(1, 1), (5, 5)}
    wider, deeper = (
        SPACE.build(SPACE.architecture(genes)) for genes in (("24", "1", "1", "k5e6"), ("24", "0.5", "0.6", "k5e6"))
    )
    sizes = [sum(p.numel() for p in n.parameters()) for n in (deeper, network, wider)]
    assert sizes == sorted(sizes)


def test_a_code_has_one_row_of_whole_networks():
    assert [len(row.options) for row in SPACE.rows] == [3 * 3 * 2 * 2]
    rng = np.random.default_rng(0)
    archs = [moves.sample(SPACE, rng) for _ in range(20)]
    code = moves.encode(SPACE, archs)
    assert code.shape == (20, 1, 36)
    assert [moves.decode(SPACE, row) for row in code] == archs
    largest = moves.decode(SPACE, SPACE.costs().macs)
    assert largest.genes == ("32", "1", "1", "k5e6")


def test_what_rounding_makes_one_network_is_one():
    """Channels are multiples of 8."""
    one, other = (SPACE.architecture(("24", width, "1", "k3e3")) for width in ("0.5", "0.505"))
    assert SPACE.canonical(other) == SPACE.canonical(one) == one
    apart = SPACE.architecture(("24", "1", "1", "k3e3"))
    assert SPACE.canonical(apart) == apart


def test_numbers_that_a_gene_cannot_tell_apart_are_one():
    space = Compound(widths="0.12345678,0.12345679,1")
    assert space.widths == (0.123457, 1.0)
    assert Compound(**space.settings).choices == space.choices


def test_sides_are_shares_of_the_resolution_unless_they_are_said():
    assert Compound(resolution=64).sides == (24, 32, 40, 48, 56, 64)
    assert Compound(resolution=12).sides == (8, 12)
    assert make_space("compound", Compound(resolution=64).settings).settings == Compound(resolution=64).settings


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"sides": "16,x"}, "compound: sides '16,x': expected numbers, separated by commas"),
        ({"sides": "48", "resolution": 32}, "compound: sides '48': images have 32 x 32 pixels"),
        ({"operators": "k3e3,k9"}, "compound: operators 'k3e3,k9': 'k9' is none of k3e3"),
        ({"widths": ",".join(str(0.1 + i / 1000) for i in range(300))}, "networks, at most 1000 can be told apart"),
        ({"widths": "0,1"}, "compound: widths '0,1': expected 0.05 to 16 each"),
        ({"depths": "nan"}, "compound: depths 'nan': expected 0.05 to 16 each"),
        ({"sides": "-8,16"}, "compound: sides '-8,16': expected 8 to 2048 each"),
        ({"layout": "tall"}, "unknown layout 'tall'"),
    ],
)
def test_what_no_network_can_have_is_refused(settings, said):
    with pytest.raises(UsageError, match=said):
        Compound(**settings)


def test_what_whole_networks_take_is_learned_from_few_since_their_sizes_are_known():
    """Learned from fifty, an unseen one is off by a percent where thousands differ by a factor of a hundred."""
    space, device = Compound(resolution=64), make_target("roofline-example")
    archs = moves.sample_many(space, 90, np.random.default_rng(0))
    costs = all_costs(device.price([job_of(arch, space) for arch in archs], Effort.LEARN, seed=0))
    code, ms = moves.encode(space, archs), np.array([cost.ms for cost in costs])
    predictor = make_predictor("process", space.costs(), 0).fit(code[:50], ms[:50])
    assert np.median(np.abs(predictor.predict(code[50:]) / ms[50:] - 1)) < 0.02
    assert ms.max() > 50 * ms.min()
