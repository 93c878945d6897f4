"""Searches on a Ray cluster of three nodes here: do they end as without one, a node killed? And what does Ray cost?

    OMP_NUM_THREADS=1 python benchmarks/cluster.py [--search] [--overhead] [--latency] [--keep]

It needs surgenas[ray].

--search: two methods with two seeds each, on digits and an estimated device; a node is killed in the middle.
--overhead: twelve short trainings, two at a time, through Ray and by two processes that take turns with it. --latency:
a network on ONNX Runtime, measured from here and through the node that has the device, in turns.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import ray
from common import finish, spread
from ray.cluster_utils import Cluster as Nodes

from surgenas.core import moves
from surgenas.core.progress import Progress
from surgenas.core.seeds import generator
from surgenas.core.work import Train
from surgenas.engine.here import Here
from surgenas.engine.jobs import job_of
from surgenas.engine.ray import Cluster, OnRay
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import all_costs
from surgenas.runs.workforce import HERE
from surgenas.spaces import make_space
from surgenas.studies.improvement import Protocol, one_by_one, run_protocol
from surgenas.studies.side_by_side import SideBySide
from surgenas.tasks.data import Images, load_data
from surgenas.training.loop import Recipe
from surgenas.training.team import Team

DEVICE = "onnxruntime-cpu"
BRIEF = {
    "device": "roofline-example", "samples": 12, "train_epochs": 3, "resolution": 16, "accelerator": "cpu", "epochs": 1,
    "method_settings": {"trials": 6},
}  # fmt: skip


def nodes(**device: float) -> tuple[Nodes, list[Any]]:
    """A head that trains nothing, and three nodes of a core each; the first has the device."""
    found = Nodes(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    more = [found.add_node(num_cpus=1, resources=device if i == 0 else {}) for i in range(3)]
    found.wait_for_nodes()
    os.environ["RAY_ADDRESS"] = found.address
    return found, more


def searched(folder: Path, engine: str) -> tuple[list[dict[str, Any]], float]:
    """What `bench ri` tells, but for its times."""
    protocol = Protocol(
        data=("digits",), methods=("random", "regularized"), seeds=2, random=1, settings={**BRIEF, "engine": engine}
    )
    begun = time.monotonic()
    do = one_by_one(Progress()) if engine == HERE else SideBySide(Progress())
    found = run_protocol(protocol, folder, Progress(), do)
    rows = [{k: v for k, v in asdict(row).items() if not k.startswith("search_")} for row in found.rows]
    return rows, time.monotonic() - begun


def search() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        serial, serial_s = searched(Path(name) / "here", "here")
        print("here", serial_s, flush=True)
        cluster, more = nodes()
        try:
            kill = threading.Timer(0.5 * serial_s, lambda: cluster.remove_node(more[1], allow_graceful=False))
            kill.start()
            by_ray, ray_s = searched(Path(name) / "ray", "ray")
            kill.cancel()
        finally:
            cluster.shutdown()
    alive = "killed" if kill.finished.is_set() and ray_s > 0.5 * serial_s else "not killed"
    return {"same": serial == by_ray, "a node": alive, "here s": serial_s, "ray s": ray_s, "rows": by_ray}


def twelve() -> tuple[Here, list[Train]]:
    """An engine, and short trainings of random networks."""
    data = load_data(
        "digits", 16, max_corrupt=0.0, cache=Path(tempfile.gettempdir()) / "cluster-digits", progress=Progress(),
        flips="off",
    )  # fmt: skip
    space, rng = make_space("mobile", {"layout": "small", "resolution": 16, "classes": 10}), generator(0, "twelve")
    recipe = Recipe(epochs=8, batch=64)
    works = [Train(str(i), moves.sample(space, rng), i) for i in range(12)]
    return Here(Images(data, data), recipe, (recipe,), space, 0, team=Team("cpu")), works


def overhead(pairs: int) -> dict[str, Any]:
    cluster, more = nodes()
    cluster.remove_node(more[2])  # two at a time
    ratios, here, works = [], *twelve()
    try:
        reached = Cluster("ray", DEVICE)
        for _ in range(pairs):
            begun = time.monotonic()
            engine = OnRay(here, reached)
            engine.expect(works)
            by_ray = [engine.perform(work).accuracy for work in works]
            of_ray = time.monotonic() - begun
            begun = time.monotonic()
            halves = [subprocess.Popen([sys.executable, __file__, "--half", str(half)]) for half in range(2)]
            assert [half.wait() for half in halves] == [0, 0]
            of_here = time.monotonic() - begun
            ratios.append(of_ray / of_here)
            print(of_ray, of_here, by_ray[:2], flush=True)
        reached.close()
    finally:
        cluster.shutdown()
    return {"ray over here": spread(ratios)}


def latency(pairs: int) -> dict[str, Any]:
    cluster, _ = nodes(**{DEVICE: 1})
    space = make_space("mobile", {"layout": "small", "resolution": 64, "classes": 10})
    job, ratios, grades = job_of(space.architecture(tuple(c.options[0] for c in space.choices)), space), [], []
    try:
        reached, here = Cluster("ray", DEVICE), make_target(DEVICE)
        there = reached.target(DEVICE)
        assert there.key == here.key, "one device"
        for _ in range(pairs):
            inside, outside = (all_costs(target.price([job]))[0] for target in (there, here))
            ratios.append(inside.ms / outside.ms)
            grades.append(f"{inside.grade}{outside.grade}")
            print(inside.ms, outside.ms, inside.grade, outside.grade, flush=True)
        reached.close()
    finally:
        cluster.shutdown()
    return {"inside over outside": spread(ratios), "grades": grades}


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("search", "overhead", "latency"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--half", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.half is not None:
        here, works = twelve()
        for work in works[args.half :: 2]:
            here.perform(work)
        return
    found: dict[str, Any] = {"ray": ray.__version__}
    if args.search:
        found["search"] = search()
    if args.overhead:
        found["overhead"] = overhead(args.pairs)
    if args.latency:
        found["latency"] = latency(args.pairs)
    kinds = [kind for kind in ("search", "overhead", "latency") if kind in found]
    finish("-".join(["cluster", *kinds]), found)


if __name__ == "__main__":
    main()
