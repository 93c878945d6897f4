"""Contract checks of spaces and predictors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Counted, SharesWeights, require
from surgenas.core.space import CostTable, Space
from surgenas.nn.cost import count, work_of
from surgenas.nn.supernet import Gates
from surgenas.predictors.base import make_predictor


def check_space(space: Space, *, trials: int = 3, seed: int = 0) -> None:
    """Check the laws of core.space on random architectures; raises AssertionError."""
    rng = np.random.default_rng(seed)
    for _ in range(trials):
        arch = moves.sample(space, rng)
        assert Architecture.from_json(arch.to_json()) == arch
        assert moves.decode(space, moves.encode(space, [arch])[0]) == arch
        changed = moves.mutate(space, arch, rng)
        assert sum(a != b for a, b in zip(arch.genes, changed.genes, strict=True)) == 1
        assert space.canonical(space.canonical(arch)) == space.canonical(arch)
        if isinstance(space, Counted):
            _check_costs(space, arch)
        if isinstance(space, SharesWeights):
            _check_cut(space, arch)


def check_predictor(name: str, costs: CostTable, *, seed: int = 0) -> None:
    """Check that a predictor fits, beats the mean, says how sure it is, is differentiable if its class says so, and
    leaves the global random state alone. Raises AssertionError."""
    L, K = costs.macs.shape
    rng = np.random.default_rng(seed)
    code = np.eye(K)[rng.integers(K, size=(150, L))]
    latency = 0.2 + (costs.macs_of(code) - costs.fixed_macs) / costs.macs.sum()
    before = torch.get_rng_state()
    predictor = make_predictor(name, costs, seed).fit(code[:100], latency[:100])
    assert torch.equal(before, torch.get_rng_state())
    error = np.abs(predictor.predict(code[100:]) - latency[100:]).mean()
    assert error < 0.8 * np.abs(latency[100:] - latency[:100].mean()).mean()
    spread = predictor.uncertainty(code[100:])
    assert spread.shape == (50,)
    assert (spread > 0).all()
    gates = torch.from_numpy(code[:2]).float().requires_grad_()
    relaxed = predictor.predict_relaxed(gates)
    assert np.allclose(relaxed.detach(), predictor.predict(code[:2]), rtol=1e-4)
    if predictor.differentiable:
        (gradient,) = torch.autograd.grad(relaxed.sum(), gates)
        assert gradient.shape == gates.shape
        assert gradient.abs().sum() > 0


def _check_costs(space: Space, arch: Architecture) -> None:
    """Check that what the cost table says of an architecture are the costs of the built network.

    Where costs multiply, these are those of its convolutions and linear layers, of weights without biases.
    """
    costs, code = require(space, Counted).costs(), moves.encode(space, [arch])
    network, shape = space.build(arch), space.input_of(arch)
    macs, params = count(network, shape)
    if not costs.adds_up:
        works = work_of(network, shape, (nn.Conv2d, nn.Linear))[1]
        macs = sum(work.macs for work in works)
        params = sum(network.get_parameter(f"{work.name}.weight").numel() for work in works)
    counts_MD = costs.counts(torch.from_numpy(code))[0]
    assert np.isclose(costs.macs_of(code)[0], macs)
    assert np.isclose(float(counts_MD[:, 1].sum()) + costs.fixed_params, params)
    assert (counts_MD >= 0).all()
    assert costs.macs.shape == code[0].shape
    assert len(costs.edges) == len(space.rows)


def _check_cut(space: Space, arch: Architecture) -> None:
    """Check that a network with weights cut out of the supernet computes what the supernet computes on that path."""
    supernet: Any = require(space, SharesWeights).supernet().train()
    path, images = moves.path_of(space, arch), torch.randn(2, *space.input_of(arch))
    supernet.at(images, path)  # so that the statistics of BN are not those of a fresh network
    for norm in getattr(supernet, "left_out", ()):
        norm.reset_running_stats()
        norm.eps = 0.0  # it changes nothing then
    network = supernet.cut(path, space.build(arch)).eval()
    supernet.eval()
    with torch.no_grad():
        expected = supernet.at(images, path)
        assert torch.allclose(network(images), expected, rtol=1e-4, atol=1e-5)
        if supernet.shares in ("choice", "cells"):  # all operators, summed by the same gates
            everything = Gates(Gates.of(space, arch).weights, path=None)
            assert torch.allclose(supernet(images, everything), expected, rtol=1e-4, atol=1e-5)
