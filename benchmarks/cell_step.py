"""A step of DARTS here and in NNI 3.0, of the same supernet, in turns; and what it costs to judge operators.

    python benchmarks/cell_step.py nni PYTHON [--rounds 15] [--batch 64] [--keep]
    python benchmarks/cell_step.py judge [--rounds 15] [--batch 64] [--keep]

nni: PYTHON is the interpreter of an environment that has nni 3.0 and pytorch-lightning. Either side computes in a
process of its own, with one thread. NNI's is the body of its training step without the trainer around it, which only
makes it faster. A step is a gradient of the logits, one of the weights on other images, and both optimizers. Memory is
what autograd holds for a backward pass, each storage once and parameters left out, and how much the process grows at
most. judge: seconds in which the selection of DARTS-PT judges all operators of an edge, over those of as many passes
forward on the same images.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

SPACES: dict[str, dict[str, int]] = {
    "nasbench201": {"channels": 16, "repeats": 5}, "darts": {"channels": 16, "layers": 8},
}  # fmt: skip
"""The published sizes."""
SIDE, CLASSES = 32, 10
WARM = 2
"""Steps before any is timed."""
Batch = tuple[Tensor, Tensor]


def theirs(space: str) -> tuple[nn.Module, Callable[[Batch, Batch], None]]:
    """NNI's supernet, and its DARTS step with the optimizers of the paper."""
    from nni.nas import strategy
    from nni.nas.hub.pytorch import DARTS, NasBench201

    made = NasBench201(16, 5, CLASSES) if space == "nasbench201" else DARTS(width=16, num_cells=8, dataset="cifar")
    net: nn.Module = strategy.DARTS().mutate_model(made).train()
    alpha = list({p for m in net.modules() if hasattr(m, "arch_parameters") for p in m.arch_parameters()})
    own = {id(p) for p in alpha}
    weights = [p for p in net.parameters() if id(p) not in own]
    weight_optimizer = torch.optim.SGD(weights, 0.025, momentum=0.9, weight_decay=3e-4)
    alpha_optimizer = torch.optim.Adam(alpha, 3e-4, betas=(0.5, 0.999), weight_decay=1e-3)

    def step(train: Batch, held: Batch) -> None:
        alpha_optimizer.zero_grad()
        nn.functional.cross_entropy(net(held[0]), held[1]).backward()
        alpha_optimizer.step()
        weight_optimizer.zero_grad()
        nn.functional.cross_entropy(net(train[0]), train[1]).backward()
        nn.utils.clip_grad_norm_(weights, 5.0)
        weight_optimizer.step()

    return net, step


def ours(space: str, held: Batch) -> tuple[nn.Module, Callable[[Batch, Batch], None]]:
    """Our supernet and its DARTS step; images of the second half are drawn from these."""
    search = begin(space, held, "darts")
    counted = iter(range(10**9))
    return search.supernet, lambda train, _: search.step(*train, next(counted)) and None


def begin(space: str, held: Batch, method: str, **settings: Any) -> Any:
    from surgenas.methods import make_method
    from surgenas.methods.base import Problem
    from surgenas.methods.candidates import HeldOut
    from surgenas.spaces import make_space
    from surgenas.testing import ZeroPredictor

    made: Any = make_space(space, {**SPACES[space], "resolution": SIDE, "classes": CLASSES})
    problem = Problem(
        made, 1.0, 0, predictor=ZeroPredictor(made.costs()), steps_per_epoch=1000,
        held_out=HeldOut(held[0], held[0], held[1]),
    )  # fmt: skip
    return make_method(method, {"epochs": 1000, **settings}).begin(problem)


def batch_of(count: int, seed: int) -> Batch:
    torch.manual_seed(seed)
    images = torch.randn(count, 3, SIDE, SIDE).contiguous(memory_format=torch.channels_last)
    return images, torch.randint(CLASSES, (count,))


def held_bytes(step: Callable[[], object], net: nn.Module) -> int:
    """The most bytes that autograd holds at a time; as surgenas.testing counts them, which NNI's side cannot import."""
    own = {p.untyped_storage().data_ptr() for p in (*net.parameters(), *net.buffers())}
    alive: dict[int, list[int]] = {}
    most = 0

    def pack(tensor: Tensor) -> tuple[Tensor, Held]:
        nonlocal most
        found = Held(tensor.untyped_storage(), own, alive)
        most = max(most, sum(size for size, _ in alive.values()))
        return tensor.detach(), found

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda kept: kept[0]):
        step()
    return most


class Held:
    """Counts a storage for as long as it lives."""

    def __init__(self, storage: Any, own: set[int], alive: dict[int, list[int]]) -> None:
        self.place, self.alive = storage.data_ptr(), alive
        if self.place in own:
            self.place = 0
            return
        entry = alive.setdefault(self.place, [storage.nbytes(), 0])
        entry[1] += 1

    def __del__(self) -> None:
        if self.place:
            self.alive[self.place][1] -= 1
            if not self.alive[self.place][1]:
                del self.alive[self.place]


def answer(who: str, space: str, count: int) -> None:
    """A side: one line for the supernet, then one for each line that comes in: seconds of a step, or its memory."""
    torch.set_num_threads(1)
    train, held = batch_of(count, 0), batch_of(count, 1)  # ours refuses fewer than 30
    net, step = theirs(space) if who == "nni" else ours(space, held)
    print(sum(p.numel() for p in net.parameters()), flush=True)
    for line in sys.stdin:
        if line.strip() == "bytes":
            print(held_bytes(partial(step, train, held), net), flush=True)
        elif line.strip() == "grown":
            print(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
        else:
            start = time.perf_counter()
            step(train, held)
            print(time.perf_counter() - start, flush=True)


class Side:
    """One side's process."""

    def __init__(self, python: str, who: str, space: str, count: int) -> None:
        command = [python, __file__, "answer", who, space, str(count)]
        there = {**os.environ, "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=there
        )
        self.parameters = int(self.heard())

    def heard(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(map(str, self.process.args))} ended early; run it by hand to see why")
        return line

    def ask(self, what: str) -> float:
        assert self.process.stdin is not None
        print(what, file=self.process.stdin, flush=True)
        return float(self.heard())


def compare(python: str, space: str, rounds: int, count: int) -> dict[str, Any]:
    sides = {"ours": Side(sys.executable, "ours", space, count), "nni": Side(python, "nni", space, count)}
    before = {name: side.ask("grown") for name, side in sides.items()}
    for _ in range(WARM):
        for side in sides.values():
            side.ask("step")
    ratios, took = [], defaultdict(list)
    for index in range(rounds):
        names = list(sides) if index % 2 else list(sides)[::-1]
        pair = {name: sides[name].ask("step") for name in names}
        ratios.append(pair["ours"] / pair["nni"])
        for name, seconds in pair.items():
            took[name].append(seconds)
    grown = {name: side.ask("grown") - before[name] for name, side in sides.items()}
    held = {name: side.ask("bytes") for name, side in sides.items()}
    for side in sides.values():
        side.process.kill()
    return {
        "parameters": {name: side.parameters for name, side in sides.items()},
        "seconds, ours over NNI's": spread(ratios), "seconds": {name: spread(v) for name, v in took.items()},
        "held bytes, ours over NNI's": held["ours"] / held["nni"], "held bytes": held,
        "growth, ours over NNI's": grown["ours"] / grown["nni"], "growth": grown,
    }  # fmt: skip


def judge(space: str, rounds: int, count: int) -> dict[str, Any]:
    from surgenas.methods.perturbation import Event, decide
    from surgenas.nn.supernet import Gates

    torch.set_num_threads(1)
    images, labels = batch_of(count, 0)
    search = begin(space, (images, labels), "darts-pt")
    equal, offered = search.probabilities(), search.space.offered
    event, ratios = Event(((0,),), thins=False), []
    for _ in range(rounds + WARM):
        start = time.perf_counter()
        decide(event, [], equal, offered, search.judge)
        judged = time.perf_counter() - start
        start = time.perf_counter()
        with torch.no_grad():
            for _ in range(int(offered[0].sum())):
                search.supernet(images, Gates(equal, None))
        ratios.append(judged / (time.perf_counter() - start))
    return {"seconds, judged over forward": spread(ratios[WARM:])}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=("nni", "judge"))
    parser.add_argument("who", nargs="?", default="")
    parser.add_argument("--space", choices=SPACES)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    part = partial(compare, args.who) if args.part == "nni" else judge
    found = {space: part(space, args.rounds, args.batch) for space in SPACES if args.space in (None, space)}
    finish(f"cell_step-{args.part}", {"batch": args.batch, "threads": 1, "found": found})


if __name__ == "__main__":
    if sys.argv[1:2] == ["answer"]:
        answer(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        from common import finish, spread

        main()
