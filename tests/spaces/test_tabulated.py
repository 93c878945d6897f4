"""The spaces of public latency tables: published counts and costs, and the laws of every space."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest
import torch

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.nn.cost import count
from surgenas.spaces.fbnet import FBNet
from surgenas.spaces.macro import Macro
from surgenas.spaces.nasbench201 import NASBench201
from surgenas.testing import check_space

DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.parametrize("space", [NASBench201(), FBNet(), Macro()], ids=lambda space: space.name)
def test_laws(space):
    check_space(space)


def test_nasbench201_has_its_published_counts():
    space = NASBench201()
    everything = list(moves.enumerate_all(space))
    assert len(everything) == moves.size(space) == 15625
    assert len({space.canonical(arch) for arch in everything}) == 6466


def test_nasbench201_costs_what_is_published():
    """The largest cell on CIFAR-10: 220.11 MFLOPs (of multiply and add as one), 1.531546 M parameters (NATS-Bench)."""
    space = NASBench201()
    macs, params = count(space.build(moves.uniform_architecture(space, "nor_conv_3x3")), space.input_shape)
    assert macs / 1e6 == pytest.approx(220.12, abs=0.01)
    assert params == 1_531_546


def test_isomorphic_cells_share_a_key():
    space = NASBench201()
    one = space.parse("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|")
    other = space.parse("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|")
    third = space.parse("|nor_conv_1x1~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|")
    same = [moves.canonical_key(space, arch) for arch in (one, other, third)]
    assert same[0] != same[2]
    assert space.canonical(one).genes == space.canonical(space.canonical(one)).genes


def test_fbnet_has_22_layers_of_9_operators():
    space = FBNet()
    assert [len(choice.options) for choice in space.choices] == [9] * 22
    if (DATA / "fbnet").is_dir():
        assert json.loads((DATA / "fbnet" / "ops.json").read_text()) == list(space.choices[0].options)


def test_macro_has_the_macs_and_parameters_of_its_table():
    """A hundred of the 6,561; benchmarks/macro.py checks all."""
    if not (DATA / "nasbench_macro").is_dir():
        pytest.skip("no public tables here")
    table = json.loads((DATA / "nasbench_macro" / "nas-bench-macro_cifar10.json").read_text())
    space = Macro()
    assert len(table) == moves.size(space) == 6561
    for key in list(table)[::66]:
        with torch.device("meta"):
            network = space.build(space.parse(key))
        assert count(network, space.input_shape) == (table[key]["flops"], table[key]["params"]), key


@pytest.mark.parametrize("space", [NASBench201(), FBNet()], ids=lambda space: space.name)
def test_every_line_of_its_table_is_read(space):
    if not (DATA / space.name).is_dir():
        pytest.skip("no public tables here")
    with gzip.open(DATA / space.name / "latency.csv.gz", "rt") as file:
        archs = [space.parse(row["arch"]) for row in csv.DictReader(file)]
    assert len(set(archs)) == len(archs) == {"nasbench201": 15625, "fbnet": 5000}[space.name]


@pytest.mark.parametrize(
    ("space", "text"),
    [
        (NASBench201(), "|nor_conv_5x5~0|+|none~0|none~1|+|none~0|none~1|none~2|"),
        (NASBench201(), "|none~0|+|none~0|none~1|"),
        (NASBench201(), "nonsense"),
        (FBNet(), "1_2_3"),
        (FBNet(), "_".join(["9"] * 22)),
        (FBNet(), "_".join(["-1"] * 22)),
        (FBNet(), "a_b"),
        (Macro(), "0120"),
        (Macro(), "01201203"),
    ],
)
def test_other_lines_are_refused(space, text):
    with pytest.raises(UsageError):
        space.parse(text)
