"""What does one search step cost? Against the K stand-alone training steps of the same K paths, interleaved.

    python benchmarks/step_cost.py [--superkernels | --elastic] [--keep]

Time is the median ratio over rounds; each step stands between two timings of the paths alone. Bytes are counted by
autograd's own hooks: distinct storages held for backward, parameters left out.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import timm
import torch
from common import finish, spread
from torch import nn

from surgenas.core import moves
from surgenas.core.seeds import derive
from surgenas.methods.base import Problem
from surgenas.methods.single_path import SinglePathNAS
from surgenas.methods.surgenas import SurgeNAS, SurgeNASSearch
from surgenas.nn.elastic import Shape, Structure, by_image, dropped, sliced, trace
from surgenas.nn.elastic.slicing import plan_of
from surgenas.nn.supernet import Gates
from surgenas.predictors.base import Predictor, make_predictor
from surgenas.spaces.mobile import Mobile
from surgenas.spaces.single_path import SinglePath, SinglePathSE
from surgenas.testing import held_bytes

ROUNDS, OTHERS, BATCH = 15, 7, 64
COMPARED: tuple[tuple[Any, Any, float], ...] = (
    ("ods", "both", 1.0), ("ods", "both", 0.0), ("ods", "path-credit", 1.0), ("ods", "straight-through", 1.0),
    ("fair", "path-credit", 1.0), ("gdas", "straight-through", 1.0),
    ("spos", "straight-through", 1.0), ("darts", "straight-through", 0.0),
)  # fmt: skip
"""Sampler, estimator and eta of SurgeNAS."""
ELASTIC = {"efficientnet_lite0": 96, "mobilenetv3_small_100": 64}
"""timm's networks, with random weights, and the side of the images in pixels."""
TOGETHER = 8
"""How many smaller networks share a pass."""
SUPERKERNELS = {"single_path": SinglePath, "single_path_se": SinglePathSE}


def main() -> None:
    if "--superkernels" in sys.argv:
        kernels = {f"{name}, {size} px": superkernels(name, size) for name in SUPERKERNELS for size in (32, 64)}
        finish("step_cost-superkernels", {"batch": BATCH, "superkernels": kernels})
        return
    if "--elastic" in sys.argv:
        elastics = {f"{name}, {size} px": elastic(name, size) for name, size in ELASTIC.items()}
        finish("step_cost-elastic", {"batch": BATCH, "networks_a_pass": TOGETHER, "elastic": elastics})
        return
    figures: dict[str, Any] = {}
    space, images, labels = problem(32)  # the size of the demo
    predictor = predictor_of(space)
    for sampler, estimator, eta in COMPARED:
        method = SurgeNAS(sampler=sampler, estimator=estimator, eta=eta, warmup=0.0, epochs=1000)
        rounds = ROUNDS if (estimator, eta) == ("both", 1.0) else OTHERS
        figures[f"{sampler}, {estimator}, eta {eta:g}"] = compare(space, method, predictor, images, labels, rounds)
    figures["predictor query share of an ODS step"] = query_share(space, predictor, images, labels)
    space, images, labels = problem(64)  # real images: kernels weigh more, Python less
    method = SurgeNAS(warmup=0.0, epochs=1000)
    figures["the default at 64 px"] = compare(space, method, predictor_of(space), images, labels, ROUNDS)
    finish("step_cost", {"batch": BATCH, "samplers": figures})


def superkernels(name: str, resolution: int) -> dict[str, Any]:
    """A Single-Path step over a training step of the plain network of the largest operator, in turns; SurgeNAS's beside
    it is K such steps."""
    space = SUPERKERNELS[name](layout="small", resolution=resolution, classes=10)
    images = torch.randn(BATCH, *space.input_shape).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(10, (BATCH,))
    method = SinglePathNAS(warmup=0.0, epochs=1000)
    search = method.begin(Problem(space, 1.0, 0, predictor=predictor_of(space, "lookup"), steps_per_epoch=10))
    largest = len(space.operators) - 1
    network, optimizer = standalone(space, (largest,) * len(space.choices))
    plain = partial(train_step, network, optimizer, images, labels)
    ratios = []
    for index in range(3 * ROUNDS):
        before = seconds(plain)
        step_seconds = seconds(partial(search.step, images, labels, index))
        ratios.append(2 * step_seconds / (before + seconds(plain)))
    decided = partial(search.supernet.decide, search.thresholds, method.rule)
    held = held_bytes(lambda: search.supernet(images, decided()), search.supernet)
    figures: dict[str, Any] = {
        "time_ratio": spread(ratios[1:]),
        "bytes_ratio": held / held_bytes(lambda: network(images), network),
    }
    print(name, resolution, figures["time_ratio"]["median"], figures["bytes_ratio"], file=sys.stderr)
    return figures


def elastic(name: str, side: int) -> dict[str, Any]:
    """Steps of an elastic network over its own plain step, in turns: at the full shape, at a random one, and with many
    random ones in one pass, of widths alone, and of widths and blocks."""
    torch.manual_seed(0)
    network = timm.create_model(name, num_classes=10).to(memory_format=torch.channels_last).train()
    images = torch.randn(BATCH, 3, side, side).contiguous(memory_format=torch.channels_last)
    structure, labels = trace(network, images[:1]), torch.randint(10, (BATCH,))
    rng = np.random.default_rng(0)
    several = [drawn(structure, rng) for _ in range(TOGETHER)]
    widths, off = by_image(structure, [Shape(shape.widths, shape.off) for shape in several * (BATCH // TOGETHER)])
    optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9)
    plain = partial(train_step, network, optimizer, images, labels)
    forwards: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        kind: partial(sliced, network, structure, shape, plan=plan_of(network, structure, shape))
        for kind, shape in (("full", structure.at(1.0)), ("random", several[0]))
    }
    forwards["many widths in one pass"] = lambda x: dropped(network, structure, widths, x)
    forwards["many widths and blocks in one pass"] = lambda x: dropped(network, structure, widths, x, off)
    ratios: dict[str, list[float]] = {kind: [] for kind in forwards}
    for _ in range(OTHERS + 1):
        before = seconds(plain)
        for kind, forward in forwards.items():
            step_seconds = seconds(partial(plain, forward=forward))
            after = seconds(plain)
            ratios[kind].append(2 * step_seconds / (before + after))
            before = after
    figures = {kind: spread(values[1:]) for kind, values in ratios.items()}
    print(name, side, {kind: found["median"] for kind, found in figures.items()}, file=sys.stderr)
    return figures


def drawn(structure: Structure, rng: np.random.Generator) -> Shape:
    return Shape(
        {group.name: int(rng.choice(group.widths)) for group in structure.groups},
        tuple(path for path in structure.blocks if rng.random() < 0.5),
        {path: int(rng.choice(range(3, side + 1, 2))) for path, side in structure.kernels.items()},
    )


def problem(resolution: int) -> tuple[Mobile, torch.Tensor, torch.Tensor]:
    space = Mobile(layout="small", resolution=resolution, classes=10)
    images = torch.randn(BATCH, *space.input_shape).contiguous(memory_format=torch.channels_last)
    return space, images, torch.randint(10, (BATCH,))


def predictor_of(space: Mobile, name: str = "gnn") -> Predictor:
    code = moves.encode(space, [moves.uniform_architecture(space, op) for op in space.choices[0].options] * 3)
    return make_predictor(name, space.costs(), 0).fit(code, 1.0 + code[:, 0, 0])


def compare(
    space: Mobile, method: SurgeNAS, predictor: Predictor, images: torch.Tensor, labels: torch.Tensor, rounds: int
) -> dict[str, Any]:
    """Time and bytes of this sampler's step, over those of its paths trained alone."""
    search = method.begin(Problem(space, 1.0, 0, predictor=predictor, steps_per_epoch=10))
    ratios, bytes_ratios = [], []
    for index in range(rounds + 1):
        paths = search._draw(5.0, index, True)
        hard = drawn_paths(search, index)
        alone = [standalone(space, path) for path in hard]
        steps = [partial(train_step, network, optimizer, images, labels) for network, optimizer in alone]
        for step in steps:
            step()  # the first step of a network also plans its kernels
        before = seconds(*steps)
        step_seconds = seconds(partial(search.step, images, labels, index))
        ratios.append(2 * step_seconds / (before + seconds(*steps)))
        largest = max(held_bytes(partial(network, images), network) for network, _ in alone)
        held = max(held_bytes(partial(forward, search, images, path), search.supernet) for path in paths)
        bytes_ratios.append(held / largest)
    figures = {"time_ratio": spread(ratios[1:]), "bytes_ratio": spread(bytes_ratios[1:])}
    print(method.sampler, method.estimator, method.eta, figures, file=sys.stderr)
    return {"paths_a_step": len(paths), **figures}


def drawn_paths(search: SurgeNASSearch, index: int) -> list[tuple[int, ...]]:
    """The paths of a step; of one that mixes all operators, as many random ones."""
    hard = [p.path for p in search._draw(5.0, index, True) if p.path is not None]
    return hard or [tuple(torch.randint(7, (11,)).tolist()) for _ in range(7)]


def seconds(*calls: Callable[[], object]) -> float:
    start = time.perf_counter()
    for call in calls:
        call()
    return time.perf_counter() - start


def forward(search: SurgeNASSearch, images: torch.Tensor, gates: Gates) -> torch.Tensor:
    """A path as the step runs it, gates included."""
    weights = gates.weights.detach().requires_grad_(gates.weights.requires_grad)
    return search.supernet(images, Gates(weights, gates.path), search.config.eta)


def standalone(space: Mobile, path: tuple[int, ...]) -> tuple[nn.Module, torch.optim.Optimizer]:
    network = space.build(moves.from_indices(space, path)).to(memory_format=torch.channels_last).train()
    return network, torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, weight_decay=3e-5)


def train_step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: torch.Tensor,
    labels: torch.Tensor,
    forward: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> None:
    optimizer.zero_grad()
    nn.functional.cross_entropy((forward or network)(images), labels, label_smoothing=0.1).backward()
    nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    optimizer.step()


def query(search: SurgeNASSearch, path: Gates) -> None:
    torch.autograd.grad(search._latency(path), search.logits_LK)


def query_share(space: Mobile, predictor: Predictor, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Seconds of the differentiable latency query over those of a whole default step."""
    problem = Problem(space, 1.0, derive(0, "q"), predictor=predictor, steps_per_epoch=10)
    search = SurgeNAS(warmup=0.0, epochs=1000).begin(problem)
    queries, steps = [], []
    for index in range(OTHERS):
        paths = search._draw(5.0, index, True)
        queries.append(seconds(partial(query, search, paths[0])))
        steps.append(seconds(partial(search.step, images, labels, index)))
    return statistics.median(queries) / statistics.median(steps)


if __name__ == "__main__":
    main()
