"""Measuring on this machine: compile, check, lock, run the campaign, keep the result."""

from __future__ import annotations

import math
import statistics
import time
import timeit
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from filelock import FileLock, Timeout
from torch import nn

from surgenas.core.catalog import look_up
from surgenas.core.errors import SurgenasError, UsageError
from surgenas.core.progress import Progress
from surgenas.core.seeds import generator
from surgenas.hardware import RUNTIMES
from surgenas.hardware.context import host_fingerprint, processor, snapshot
from surgenas.hardware.device import Job
from surgenas.hardware.measurement import Measurement, estimate, grade, percentile
from surgenas.hardware.onnx_file import to_onnx
from surgenas.hardware.references import REFERENCES, Reference
from surgenas.hardware.runtimes import Images, Runtime
from surgenas.hardware.store import Store, default_folder
from surgenas.hardware.timing import Campaign, Machine, Protocol, run_campaign

TOGETHER = 32
"""Networks compiled and interleaved at once."""
LOOKS, PAUSE_S = 12, 0.4
"""How often, and seconds between, the reference is looked at to know its latency on a quiet machine."""
TOLERANCE = 1e-3
"""Largest accepted |runtime - eager|, relative to the largest logit."""


@dataclass(frozen=True)
class LocalDevice:
    """A runtime of this machine with fixed threads and batch."""

    name: str
    runtime: Runtime
    store: Store
    threads: int = 1
    batch: int = 1
    precision: str = "fp32"

    @property
    def key(self) -> str:
        runtime = f"{self.runtime.name}-{self.runtime.version}"
        return f"{host_fingerprint()}/{runtime}/{self.precision}/threads={self.threads}/batch={self.batch}"

    def describe(self) -> dict[str, object]:
        return {
            "name": self.name,
            "key": self.key,
            "runtime": f"{self.runtime.name} {self.runtime.version}",
            "processor": processor(),
            "precision": self.precision,
            "threads": self.threads,
            "batch": self.batch,
        }

    def calibrate(self, job: Job) -> tuple[str, float]:
        call, _ = self._prepare(job)
        with self._alone(Progress()):
            return self._nearest_reference([call])

    def measure(
        self,
        jobs: Sequence[Job],
        *,
        reference: tuple[str, float] | None = None,
        protocol: Protocol = Protocol(),  # noqa: B008  a frozen value
        seed: int = 0,
        reuse: bool = False,
        progress: Progress = Progress(),  # noqa: B008  stateless
    ) -> list[Measurement]:
        known = self._known(jobs, reference) if reuse else {}
        todo = list({job.key: job for job in jobs if job.key not in known}.values())
        with progress.task("measure", len(todo)) as task:
            for start in range(0, len(todo), TOGETHER):
                part = todo[start : start + TOGETHER]
                prepared = {}
                for job in part:
                    prepared[job.key] = self._prepare(job)
                    task.advance()
                with self._alone(progress):
                    chosen = reference or self._nearest_reference([call for call, _ in prepared.values()])
                    known |= self._campaign(prepared, chosen, protocol, generator(seed, "measure", start))
        return [known[job.key] for job in jobs]

    def layer_shares(self, job: Job) -> dict[str, float]:
        images = _images(job.input_shape, self.batch)
        model = to_onnx(job.build(), job.input_shape, batch=self.batch)
        times = self.runtime.layer_times_ms(model, images, self.threads, runs=30)
        total = sum(times.values())
        return {name: ms / total for name, ms in times.items()}

    def _prepare(self, job: Job) -> tuple[Callable[[], Images], float]:
        """A checked callable and its largest difference to PyTorch eager: fast and wrong is not fast."""
        network = job.build().eval()
        images = _images(job.input_shape, self.batch)
        call = self.runtime.prepare(to_onnx(network, job.input_shape, batch=self.batch), images, self.threads)
        return call, check_equal(network, call(), images, self.runtime.name)

    def _campaign(
        self,
        prepared: Mapping[str, tuple[Callable[[], Images], float]],
        reference: tuple[str, float],
        protocol: Protocol,
        rng: np.random.Generator,
    ) -> dict[str, Measurement]:
        name, reference_ms = reference
        before = snapshot()
        calls = {key: call for key, (call, _) in prepared.items()}
        call = self._reference_call(_reference(name))
        campaign = run_campaign(calls, call, reference_ms, protocol, rng, Machine())
        context = {"before": before, "after": snapshot(), "preempted": round(campaign.preempted, 4)}
        self.store.add_reference(name, self.key, campaign.reference_ms)
        found = {}
        for key, (_, difference) in prepared.items():
            found[key] = self._result(key, campaign, (name, reference_ms), difference, context)
            self.store.add(found[key], campaign.rounds[key])
        return found

    def _result(
        self, key: str, campaign: Campaign, reference: tuple[str, float], difference: float, context: dict[str, Any]
    ) -> Measurement:
        ratio, half = estimate(campaign.rounds[key], campaign.state_ms)
        quiet = sum(r.is_quiet(campaign.state_ms) for r in campaign.rounds[key])
        times = [ms for r in campaign.rounds[key] for ms in r.candidate.runs_ms]
        return Measurement(
            key=key,
            device=self.key,
            ms=ratio * reference[1],
            ratio=ratio,
            half_width=half,
            grade=grade(half, campaign.preempted, quiet),
            rounds=len(campaign.rounds[key]),
            p50_ms=statistics.median(times),
            p90_ms=percentile(times, 0.9) if len(times) >= 64 else None,
            reference=reference[0],
            reference_ms=reference[1],
            max_difference=difference,
            context={**context, "quiet_rounds": quiet, "state_ms": campaign.state_ms},
        )

    def _known(self, jobs: Sequence[Job], reference: tuple[str, float] | None) -> dict[str, Measurement]:
        """Stored results that are good enough; a ratio to the wanted reference is put on its present scale."""
        known = {}
        for job in jobs:
            for m in self.store.find(job.key, self.key):
                if m.grade <= "C" and (reference is None or m.reference == reference[0]):
                    scale = reference[1] if reference else m.reference_ms
                    known[job.key] = replace(m, ms=m.ratio * scale, reference_ms=scale)
        return known

    def _nearest_reference(self, calls: Sequence[Callable[[], Images]]) -> tuple[str, float]:
        """The one nearest to the median latency of some networks, and its own: p10 of its history, just added to.

        Short looks, spread over seconds: a machine that others share is slow for seconds at a time.
        """
        typical = statistics.median(_best_ms(call) for call in calls)
        ready = {r.name: self._reference_call(r) for r in REFERENCES}
        name = min(ready, key=lambda n: abs(math.log(_best_ms(ready[n]) / typical)))
        protocol = Protocol(rounds=20, max_rounds=20, half_width=0.0, warmup_s=0.1)
        rng = np.random.default_rng(0)
        for _ in range(LOOKS):
            campaign = run_campaign({name: ready[name]}, ready[name], math.inf, protocol, rng, Machine())
            self.store.add_reference(name, self.key, campaign.reference_ms)
            time.sleep(PAUSE_S)
        return name, percentile(self.store.reference_history(name, self.key), 0.1)

    def _reference_call(self, reference: Reference) -> Callable[[], Images]:
        images = _images(reference.input_shape, self.batch)
        model = to_onnx(reference.build(), reference.input_shape, batch=self.batch)
        return self.runtime.prepare(model, images, self.threads)

    @contextmanager
    def _alone(self, progress: Progress) -> Iterator[None]:
        """One measuring process per device; the lock dies with its holder."""
        lock = FileLock(self.store.path.with_suffix(".lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            progress.log("another process is measuring on this device; waiting for it")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()


def check_equal(network: nn.Module, output: Images, images: Images, runtime: str) -> float:
    """The largest |runtime - eager|; raises SurgenasError if it is more than rounding."""
    with torch.no_grad():
        expected = network.eval()(torch.from_numpy(images)).numpy()
    difference = float(np.abs(output - expected).max())
    if not difference <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
        raise SurgenasError(
            f"{runtime} computes something else than PyTorch (difference {difference:.3g}); not measured"
        )
    return difference


def onnxruntime_cpu() -> LocalDevice:
    """This machine's CPU through ONNX Runtime, one thread, batch 1, fp32."""
    runtime = look_up("runtime", "onnxruntime", RUNTIMES)()
    return LocalDevice("onnxruntime-cpu", runtime, Store(default_folder() / "measurements.sqlite"))


def _best_ms(call: Callable[[], Images], runs: int = 10) -> float:
    """A rough latency: enough to choose a reference by."""
    call()
    return min(timeit.repeat(call, number=1, repeat=runs)) * 1e3


def _images(input_shape: tuple[int, int, int], batch: int) -> Images:
    return np.random.default_rng(0).standard_normal((batch, *input_shape), dtype=np.float32)


def _reference(name: str) -> Reference:
    for reference in REFERENCES:
        if reference.name == name:
            return reference
    raise UsageError(f"unknown reference network {name!r}; one of {', '.join(r.name for r in REFERENCES)}")
