"""Does the measuring keep its promise here? Ours beside the usual ways, in one interleaved run, quiet and disturbed.

    python benchmarks/measurement.py [--networks 20] [--repetitions 30] [--disturbed 6] [--keep]

Each repetition measures all networks by the sequential median and minimum of 50 runs, and by a campaign of ours in a
fresh process. CV: standard deviation over mean across repetitions, by network. tau: Kendall's, between repetitions.
Three campaigns: medians of three consecutive ones. Then the same beside one CPU hog, and beside three.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations

import numpy as np
from common import finish
from scipy.stats import kendalltau

from surgenas.core import moves
from surgenas.hardware.conversion import converted
from surgenas.hardware.device import Job
from surgenas.hardware.link import Link
from surgenas.hardware.measurement import estimate, grade, percentile
from surgenas.hardware.references import REFERENCES
from surgenas.hardware.runtimes.onnxruntime import OnnxRuntime
from surgenas.hardware.session import HIDDEN, Answer, Network, Request
from surgenas.hardware.timing import Protocol
from surgenas.pipeline.stages.measured import job_of
from surgenas.spaces.mobile import Mobile

PROTOCOL = Protocol(max_rounds=20, budget_s=15, patience_s=20, duplicates=2)
RUNS = 50


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", type=int, default=20)
    parser.add_argument("--repetitions", type=int, default=30)
    parser.add_argument("--disturbed", type=int, default=6)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    networks = sampled(args.networks)
    reference = network_of(Job(REFERENCES[1].name, REFERENCES[1].build, REFERENCES[1].input_shape))
    history: list[float] = []  # of the reference, as a device's store keeps it

    def ours(seed: int) -> Answer:
        known = percentile(history, 0.1) if history else math.inf
        request = Request("onnxruntime", "fp32", 1, networks, reference, known, PROTOCOL, seed)
        answer = Link().perform(request)
        history.extend(answer.campaign.reference_ms)
        return answer

    quiet, median, minimum, pairs = [], [], [], []
    for repetition in range(args.repetitions + 1):
        answer = ours(repetition)
        runs = [sequential(network) for network in networks.values()]
        if repetition:  # the first one only teaches the reference's latency
            quiet.append(ratios(answer, networks))
            median.append([statistics.median(ms) for ms in runs])
            minimum.append([min(ms) for ms in runs])
            pairs += pair_differences(answer, networks)
            print(f"repetition {repetition}: {len(answer.campaign.reference_ms)} visits", file=sys.stderr)
    truth = np.median(quiet, axis=0)
    threes = [np.median(quiet[i : i + 3], axis=0) for i in range(0, len(quiet) - 2, 3)]
    found = {
        "sequential median": repeatability(median),
        "sequential minimum": repeatability(minimum),
        "ours, one campaign": repeatability(quiet) | {"pairs_5_percent_apart_right": ordered_right(quiet, truth)},
        "ours, three campaigns": repeatability(threes),
        "one network under two names": ties(pairs),
    }  # fmt: skip
    for hogs in (1, 3):
        with disturbed(hogs):
            answers = [ours(1000 * hogs + i) for i in range(args.disturbed)]
            usual = [[statistics.median(sequential(network)) for network in networks.values()] for _ in range(2)]
        errors = [abs(r / t - 1) for a in answers for r, t in zip(ratios(a, networks), truth, strict=True)]
        letters = [letter for a in answers for letter in grades(a, networks)]
        off = [abs(m / t - 1) for row in usual for m, t in zip(row, np.median(median, axis=0), strict=True)]
        found[f"{hogs} CPU hog(s) on two cores"] = {
            "p95_error": percentile(errors, 0.95),
            "sequential_p95_error": percentile(off, 0.95),
            "grades": {g: letters.count(g) for g in "ABCD"},
            "graded_A_to_C_but_off_by_10_percent": sum(
                bool(e > 0.1 and g < "D") for e, g in zip(errors, letters, strict=True)
            ),
        }
    finish("measurement", {"networks": args.networks, "repetitions": args.repetitions, "estimators": found})


def sampled(count: int) -> dict[str, Network]:
    """Random networks of five image sizes: about .3 to 3 ms on one core."""
    rng = np.random.default_rng(0)
    spaces = [Mobile(layout="small", resolution=resolution, classes=10) for resolution in (64, 80, 96, 112, 128)]
    archs = [moves.sample(spaces[i % len(spaces)], rng) for i in range(count)]
    return {f"{i}": network_of(job_of(arch)) for i, arch in enumerate(archs)}


def network_of(job: Job) -> Network:
    return converted(OnnxRuntime(), job, 1, "fp32")[0]


def sequential(network: Network) -> list[float]:
    """The usual way: compile, warm up, time one run after the other."""
    call = OnnxRuntime().prepare(network.model, network.images, 1, "fp32")
    for _ in range(10):
        call()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1e3)
    return times


def ratios(answer: Answer, networks: dict[str, Network]) -> list[float]:
    c = answer.campaign
    return [estimate(c.rounds[name], c.state_ms)[0] for name in networks]


def grades(answer: Answer, networks: dict[str, Network]) -> list[str]:
    c = answer.campaign
    quiet = {name: sum(r.is_quiet(c.state_ms) for r in c.rounds[name]) for name in networks}
    return [grade(estimate(c.rounds[name], c.state_ms)[1], c.preempted, quiet[name]) for name in networks]


def pair_differences(answer: Answer, networks: dict[str, Network]) -> list[tuple[float, float]]:
    """|ln ratio| of each hidden pair, and what both intervals together allow."""
    c = answer.campaign
    known = {name: estimate(rounds, c.state_ms) for name, rounds in c.rounds.items()}
    pairs = [(known[name], known[HIDDEN + name]) for name in networks if HIDDEN + name in known]
    return [(abs(math.log(a / b)), math.hypot(half_a, half_b)) for (a, half_a), (b, half_b) in pairs]


def ties(pairs: Sequence[tuple[float, float]], learn: int = 10) -> dict[str, float]:
    """As `measurement.unlike` decides, with the noise floor that the store knew at that moment (its last 40 pairs)."""
    differences = [difference for difference, _ in pairs]
    judged = [
        difference <= max(both, percentile(differences[max(0, i - 40) : i], 0.95))
        for i, (difference, both) in enumerate(pairs) if i >= learn
    ]  # fmt: skip
    return {"tries": len(judged), "ties": float(np.mean(judged)), "p95_difference": percentile(differences, 0.95)}


def repeatability(rows: Sequence[Sequence[float]]) -> dict[str, float]:
    values = np.array(rows)
    cv = values.std(axis=0, ddof=1) / values.mean(axis=0)
    taus = [float(kendalltau(a, b).statistic) for a, b in combinations(values, 2)]
    return {"cv_median": float(np.median(cv)), "cv_worst": float(cv.max()), "tau_mean": float(np.mean(taus)),
            "tau_worst": min(taus)}  # fmt: skip


def ordered_right(rows: Sequence[Sequence[float]], truth: np.ndarray) -> float:
    """Share of right orders among pairs of networks whose medians over all repetitions are 5 % or more apart."""
    apart = [(i, j) for i, j in combinations(range(len(truth)), 2) if abs(math.log(truth[i] / truth[j])) >= 0.05]
    return float(np.mean([(row[i] < row[j]) == (truth[i] < truth[j]) for row in rows for i, j in apart]))


@contextmanager
def disturbed(hogs: int) -> Iterator[None]:
    processes = [multiprocessing.Process(target=_hog, daemon=True) for _ in range(hogs)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _hog() -> None:
    while True:
        pass


if __name__ == "__main__":
    main()
