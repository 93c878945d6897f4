"""Contract checks for your own spaces, predictors, devices and search methods, and small stand-ins to test against.

from surgenas.testing import check_space
def test_my_space(): check_space(MySpace())
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Additive, SharesWeights, require
from surgenas.core.cost import Cost, Effort, Failure
from surgenas.core.errors import UsageError
from surgenas.core.progress import Progress
from surgenas.core.space import CostTable, Floats, Space
from surgenas.core.work import Epochs, Judge, Price, Work
from surgenas.hardware.costs import read_cost
from surgenas.hardware.devices import make_target
from surgenas.hardware.runtimes import Images
from surgenas.hardware.target import Job, Scale, Target, TargetInfo, TimedTarget, all_costs
from surgenas.hardware.timed.device import RuntimeDevice
from surgenas.hardware.timed.measurement import Measurement
from surgenas.hardware.timed.timing import Protocol
from surgenas.methods.base import Method, Problem, Search
from surgenas.nn.blocks import classifier, conv_bn_act, mbconv
from surgenas.nn.cells import CellSupernet
from surgenas.nn.cost import count
from surgenas.nn.supernet import ChoiceSupernet, Gates
from surgenas.predictors.base import Predictor, make_predictor
from surgenas.spaces.chain import ChainSpace


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
        if isinstance(space, Additive):
            _check_costs(space, arch)
        if isinstance(space, SharesWeights):
            _check_cut(space, arch)


def check_predictor(name: str, costs: CostTable, *, seed: int = 0) -> None:
    """Check that a predictor fits, beats the mean, says how sure it is, is differentiable if its class says so, and
    leaves the global random state alone. Raises AssertionError."""
    L, K = costs.macs.shape
    rng = np.random.default_rng(seed)
    code = np.eye(K)[rng.integers(K, size=(150, L))]
    latency = 0.2 + (code * costs.macs).sum((1, 2)) / costs.macs.sum()
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


def check_target(target: Target, jobs: Sequence[Job]) -> None:
    """Check that a target prices jobs in order, by its own key and units; that what it says survives JSON; and that a
    device keeps to its scale, with layer shares that sum to 1. Raises AssertionError."""
    info = target.describe()
    assert (info.name, info.key) == (target.name, target.key)
    assert TargetInfo.from_json(json.loads(json.dumps(info.to_json()))) == info
    if isinstance(target, TimedTarget):
        name, ms = target.calibrate(jobs[0])
        target = target.on_scale((name, ms))
        with suppress(UsageError):  # some runtimes cannot tell
            assert np.isclose(sum(target.layer_shares(jobs[0]).values()), 1.0)
    found = all_costs(target.price(jobs))
    assert [cost.key for cost in found] == [job.key for job in jobs]
    for cost in found:
        assert cost.ms > 0
        assert cost.target == target.key
        assert cost.evidence == info.evidence
        assert set(cost.values) == set(target.units)
        assert (cost.grade is None) == (cost.interval_ms is None) == (cost.evidence == "estimated")
        assert read_cost(json.loads(json.dumps(cost.to_dict()))) == cost
        if isinstance(cost, Measurement) and isinstance(target, TimedTarget):
            assert (cost.reference, cost.reference_ms) == (name, ms)
            assert np.isclose(cost.ms, cost.ratio * cost.reference_ms)


def held_bytes(forward: Callable[[], object], network: nn.Module | None = None) -> int:
    """Bytes that autograd keeps for the backward pass, each storage counted once and those of the network left out."""
    own = {t.untyped_storage().data_ptr() for t in (*network.parameters(), *network.buffers())} if network else set()
    seen: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor.detach()  # a kept output with its graph would never be freed

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        alive = forward()
    del alive
    return sum(seen.values())


class ToyDevice:
    """A simulated device, whose latency is a fixed function of the network, for tests of everything around it."""

    name = "toy"
    key = "toy/1"
    units = ("ms",)

    def describe(self) -> TargetInfo:
        return TargetInfo(self.name, self.key, "measured", "simulated", "none")

    def calibrate(self, job: Job) -> Scale:
        return "toy-reference", 1.0

    def on_scale(self, scale: Scale) -> Self:
        return self

    def price(
        self, jobs: Sequence[Job], effort: Effort = Effort.LEARN, *, seed: int = 0, reuse: bool = False,
        progress: Progress = Progress(),  # noqa: B008  stateless
    ) -> list[Cost | Failure]:  # fmt: skip
        return [self.measured(job, effort) for job in jobs]

    def measured(self, job: Job, effort: Effort) -> Cost | Failure:
        """The cost of one network."""
        network = job.module
        layers = sum(isinstance(m, nn.Conv2d) for m in network.modules())
        ms = 1e-4 * layers + 1e-7 * sum(p.numel() for p in network.parameters())
        return Measurement(job.key, self.key, ms, ms, 0.01, "A", 10, ms, ms, "toy-reference", 1.0, 0.0)

    def layer_shares(self, job: Job) -> dict[str, float]:
        return {"/stem": 0.25, "/layers/layers.0": 0.5, "/head": 0.25}

    def logits(self, job: Job, images: Images) -> Images:
        raise UsageError("toy: nothing runs here")


class MuteDevice(ToyDevice):
    """A simulated device that cannot tell the latency of single layers."""

    def layer_shares(self, job: Job) -> dict[str, float]:
        raise UsageError("mute: layers are not told")


def toy_device() -> ToyDevice:
    """A ToyDevice, for `--device surgenas.testing:toy_device`."""
    return ToyDevice()


BRIEF = Protocol(rounds=3, max_rounds=3, warmup_s=0.01, duplicates=1)


def brief_device(name: str = "onnxruntime-cpu") -> RuntimeDevice:
    """A device that measures so briefly that no latency can be relied on."""
    device = make_target(name)
    assert isinstance(device, RuntimeDevice)
    return replace(device, protocols=dict.fromkeys(Effort, BRIEF), look=BRIEF)


def brief_int8_device() -> RuntimeDevice:
    """As brief_device, computing in int8."""
    return brief_device("onnxruntime-cpu-int8")


class ZeroPredictor(Predictor):
    """A predictor that gives every network 1 ms, for a search that sees nothing but accuracy."""

    def learn(self, code_NLK: Floats, latency_ms_N: Floats) -> None:
        pass

    def predict_relaxed(self, gates_NLK: Tensor) -> Tensor:
        return 1.0 + 0.0 * gates_NLK.sum((1, 2))


class Planted(ChainSpace):
    """A space of six layers with four operators, one of which (`bad`) destroys its input; a good search avoids it
    everywhere."""

    name = "planted"
    SHAPES = ((8, 8, 1), (8, 16, 2), (16, 16, 1), (16, 16, 1), (16, 24, 2), (24, 24, 1))
    OPTIONS = ("k3e3", "bad", "k5e3", "k3e6")

    @property
    def input_shape(self) -> tuple[int, int, int]:
        return (3, 16, 16)

    def stem(self, *, affine: bool) -> nn.Module:
        return conv_bn_act(3, 8, kernel=3, stride=2, affine=affine)

    def operator(self, gene: str, cin: int, cout: int, stride: int, *, affine: bool) -> nn.Module:
        if gene == "bad":
            return nn.Sequential(conv_bn_act(cin, cout, kernel=1, stride=stride, affine=affine), _Noise())
        return mbconv(cin, cout, kernel=int(gene[1]), expand=int(gene[3]), stride=stride, affine=affine)

    def head(self, *, affine: bool) -> nn.Module:
        return classifier(24, 64, 0, 10, dropout=0.0, affine=affine)


class _Noise(nn.Module):
    """Replaces its input by noise in training and zeros in eval. It has one weight, so that it can be counted."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.scale * (torch.randn_like(x_NCHW) if self.training else torch.zeros_like(x_NCHW))


def _check_costs(space: Space, arch: Architecture) -> None:
    """Check that the sums of the cost table are the costs of the built network."""
    costs, code = require(space, Additive).costs(), moves.encode(space, [arch])[0]
    macs, params = count(space.build(arch), space.input_shape)
    assert np.isclose((code * costs.macs).sum() + costs.fixed_macs, macs)
    assert np.isclose((code * costs.params).sum() + costs.fixed_params, params)
    assert len(costs.edges) == len(space.choices)


def _check_cut(space: Space, arch: Architecture) -> None:
    """Check that a network with weights cut out of the supernet computes what the supernet computes on that path."""
    supernet: Any = require(space, SharesWeights).supernet().train()
    path, images = moves.indices(space, arch), torch.randn(2, *space.input_shape)
    supernet.at(images, path)  # so that the statistics of BN are not those of a fresh network
    network = supernet.cut(path, space.build(arch)).eval()
    supernet.eval()
    with torch.no_grad():
        expected = supernet.at(images, path)
        assert torch.allclose(network(images), expected, rtol=1e-4, atol=1e-5)
        if isinstance(supernet, ChoiceSupernet | CellSupernet):  # all operators, summed by the same gates
            everything = Gates(Gates.of(space, arch).weights, path=None)
            assert torch.allclose(supernet(images, everything), expected, rtol=1e-4, atol=1e-5)


def check_search(method: Method, problem: Problem, engine: Any, *, most: int = 10_000) -> list[Work]:
    """Check that a search asks for what its method needs, judges feasible networks, each once, and ends; that it
    proposes different networks in the window; and that one that is told the same, or goes on from a saved state, does
    the same. Returns the work. engine: an `engine.base.Engine`. most: pieces of work. Raises AssertionError."""
    space, shares = problem.space, bool(method.needs(problem.space).shares)

    def slowness(archs: Sequence[Architecture]) -> Floats:
        return np.array([float(sum(moves.indices(space, arch))) for arch in archs])  # later options are slower

    def proposed(search: Search) -> tuple[list[Architecture], Architecture]:
        return search.propose(slowness, (0.0, middle), 3, np.random.default_rng(1)), search.largest()

    middle = float(np.median(slowness(moves.sample_many(space, 99, np.random.default_rng(0)))))
    history = _play(whole := method.begin(problem), engine, {}, most)
    work, (archs, largest) = [done for done, _ in history], proposed(whole)
    assert not whole.ask(), f"it ends after {most} pieces of work"
    assert {type(done) for done in work} == ({Epochs} if shares else {Judge, Price} if problem.priced else {Judge})
    assert problem.priced or not method.needs(space).priced, "it searches for score and cost"
    judged = [done for done in work if isinstance(done, Judge)]
    assert len({(moves.canonical_key(space, done.arch), done.rung) for done in judged}) == len(judged)
    assert all(problem.feasible([done.arch])[0] for done in judged)
    assert len({moves.canonical_key(space, arch) for arch in archs}) == len(archs) <= 3
    assert all(slowness(archs) <= middle)
    for told in {1, len(history) // 2, len(history)}:
        again, known = method.begin(problem), {done.key: result for done, result in history[:told]}
        if shares:
            _play(part := method.begin(problem), engine, known, told)
            again.load_state_dict(copy.deepcopy(part.state_dict()))
        assert [done for done, _ in _play(again, engine, known, most)] == work[told if shares else 0 :]
        assert proposed(again) == (archs, largest)
    return work


def _play(search: Search, engine: Any, known: Mapping[str, Any], most: int) -> list[tuple[Work, Any]]:
    history: list[tuple[Work, Any]] = []
    while len(history) < most and (asked := search.ask()):
        for work in asked:
            result = known[work.key] if work.key in known else engine.perform(work)
            history.append((work, list(result) if isinstance(work, Epochs) else result))
            search.tell(*history[-1])
    return history
