"""The spaces of public latency tables against the tables themselves, where they have been downloaded."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest
import torch

from surgenas.core import moves
from surgenas.nn.cost import count
from surgenas.spaces.fbnet import FBNet
from surgenas.spaces.macro import Macro
from surgenas.spaces.nasbench201 import NASBench201

DATA = Path(__file__).parents[3] / "shared" / "data"


def test_fbnet_has_the_operators_of_its_table():
    if not (DATA / "fbnet").is_dir():
        pytest.skip("no public tables here")
    assert json.loads((DATA / "fbnet" / "ops.json").read_text()) == list(FBNet().choices[0].options)


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
