"""How does a device measure networks? Export, lock, run the campaign here or elsewhere, check the result, store it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial

import numpy as np

from surgenas.core.catalog import look_up
from surgenas.core.cost import Cost, Effort, Failure, Unit
from surgenas.core.errors import UsageError
from surgenas.core.progress import Progress, Task
from surgenas.core.seeds import derive
from surgenas.hardware import RUNTIMES
from surgenas.hardware.runtimes import Images, Runtime
from surgenas.hardware.target import Job, Known, Scale, TargetInfo
from surgenas.hardware.timed.answering import Inquiry, answer, in_parts
from surgenas.hardware.timed.conversion import Conversions, check_equal, convert_for, tolerance_for
from surgenas.hardware.timed.efforts import LOOK, PROTOCOLS, price_each
from surgenas.hardware.timed.link import HERE, Link
from surgenas.hardware.timed.lock import measuring_lock
from surgenas.hardware.timed.measurement import CROWD, Measurement, pool
from surgenas.hardware.timed.memory import memory_effect, watcher_minima_ms, watcher_slowdown
from surgenas.hardware.timed.outcome import measurement_of
from surgenas.hardware.timed.recheck import draw_for_recheck, has_changed
from surgenas.hardware.timed.references import MEMORY, REFERENCES, find_reference, group_by_latency
from surgenas.hardware.timed.scale import UNKNOWN, know
from surgenas.hardware.timed.session import Answer, Greeting, Network, Request, in_one_line, perform
from surgenas.hardware.timed.store import Store
from surgenas.hardware.timed.timing import Protocol

TOGETHER = 32
"""Networks compiled and interleaved at once."""


@dataclass(frozen=True)
class RuntimeDevice:
    """A runtime with fixed threads and batch, on this machine or behind the command of its link.

    scale: the reference that all milliseconds are multiples of; None: each network's nearest, as it is known now.
    protocols, look: how much is measured for an effort, and to know a reference.
    """

    name: str
    runtime: Runtime
    store: Store
    far: Greeting
    threads: int = 1
    batch: int = 1
    precision: str = "fp32"
    link: Link = Link()  # noqa: RUF009  a frozen value
    scale: Scale | None = None
    protocols: Mapping[Effort, Protocol] = field(default_factory=lambda: PROTOCOLS)
    look: Protocol = LOOK
    conversions: Conversions = field(default_factory=Conversions, compare=False, repr=False)
    units: tuple[Unit, ...] = ("ms",)

    @property
    def key(self) -> str:
        runtime = f"{self.runtime.name}-{self.far.runtimes[self.runtime.name]}"
        return f"{self.far.host}/{runtime}/{self.precision}/threads={self.threads}/batch={self.batch}"

    def describe(self) -> TargetInfo:
        return TargetInfo(
            self.name, self.key, "measured", f"{self.runtime.name} {self.far.runtimes[self.runtime.name]}",
            self.far.processor, self.precision, self.threads, self.batch,
        )  # fmt: skip

    def calibrate(self, job: Job) -> Scale:
        with measuring_lock(self.far.host, Progress()):
            return self._group_by_reference({job.key: self._convert(job)[0]}, fresh=False)[0][0]

    def known(self, reference: str) -> Known | None:
        looks = self.store.looks(reference, self.key)
        return know(looks) if looks else None

    def on_scale(self, scale: Scale) -> RuntimeDevice:
        return replace(self, scale=scale)

    def price(
        self,
        jobs: Sequence[Job],
        effort: Effort = Effort.LEARN,
        *,
        seed: int = 0,
        reuse: bool = False,
        progress: Progress = Progress(),  # noqa: B008  stateless
    ) -> list[Cost | Failure]:
        """A network that fails, or takes its whole process down, leaves the others to smaller campaigns."""
        measure = partial(self.measure, protocol=self.protocols[effort], seed=seed, reuse=reuse, progress=progress)
        return price_each(measure, jobs)

    def measure(
        self,
        jobs: Sequence[Job],
        *,
        protocol: Protocol = Protocol(),  # noqa: B008  a frozen value
        seed: int = 0,
        reuse: bool = False,
        progress: Progress = Progress(),  # noqa: B008  stateless
    ) -> list[Measurement]:
        """All jobs in interleaved campaigns; raises the first error of any of them. Without a scale, milliseconds are
        on what is known of the references when the last campaign is done."""
        reference = self.scale
        stored = self._find_stored(jobs, reference) if reuse else {}
        again = draw_for_recheck(stored, seed)
        known = {key: m for key, m in stored.items() if key not in again}
        todo = list({job.key: job for job in jobs if job.key not in known}.values())
        with progress.task("measure", len(todo) * (1 + protocol.campaigns)) as task:  # converted, then timed
            for start in range(0, len(todo), TOGETHER):
                exported = {}
                for job in todo[start : start + TOGETHER]:
                    progress.check()
                    exported[job.key] = self.conversions.get(job, self._convert)
                    task.advance()
                with measuring_lock(self.far.host, progress):
                    where = derive(seed, "measure", start)
                    known |= self._campaigns(exported, reference, protocol, where, progress, task)
        if again and has_changed([(stored[key], known[key]) for key in again]):
            progress.log(f"{self.name} is not what it was: stored latencies no longer hold and are measured anew")
            self.store.add_change(self.key)
            return self.measure(jobs, protocol=protocol, seed=seed, reuse=True, progress=progress)
        known |= {key: stored[key] for key in again}
        return [self._with_scale(known[job.key]) for job in jobs]

    def _with_scale(self, measurement: Measurement) -> Measurement:
        """On the device's scale with the present doubt of it; without one, on what is known now."""
        known = self.known(measurement.reference)
        if known is None:  # it is stored, and was looked at elsewhere
            return replace(measurement, scale_doubt=UNKNOWN)
        if self.scale is None:
            return measurement.on(known.ms, known.doubt)
        moved = abs(math.log(known.ms / measurement.reference_ms))
        return replace(measurement, scale_doubt=max(known.doubt, moved))

    def _campaigns(
        self, exported: Mapping[str, tuple[Network, Images]], reference: Scale | None, protocol: Protocol, seed: int,
        progress: Progress, task: Task,
    ) -> dict[str, Measurement]:  # fmt: skip
        """Run as many campaigns of each group of like latency as the protocol wants; the pooled measurements by key."""
        networks = {key: network for key, (network, _) in exported.items()}
        groups = [(reference, networks)] if reference else self._group_by_reference(networks, protocol.fresh)
        found: dict[str, Measurement] = {}
        for (name, ms), group in groups:
            wanted = {key: exported[key] for key in group}
            watched = {**group, **self._watcher(group)}
            campaigns = []
            for turn in range(protocol.campaigns):
                progress.check()
                answer = self._perform(watched, name, ms, protocol, derive(seed, "campaign", turn), progress)
                if reference is None:  # it may have been looked at in a slow moment
                    ms = min(ms, answer.campaign.state_ms)
                campaigns.append(self._check_and_store(answer, wanted, (name, ms)))
                for _ in group:
                    task.advance(f"campaign {turn + 1} of {protocol.campaigns}")
            found |= {key: pool([campaign[key] for campaign in campaigns]) for key in group}
        return found

    def layer_shares(self, job: Job) -> dict[str, float]:
        if self.link.command != HERE:
            raise UsageError(f"{self.name}: layers can be profiled on this machine only; ask without --layers")
        network, _ = self._convert(job)
        times = self.runtime.layer_times_ms(network.model, network.images, self.threads, self.precision, runs=30)
        return {name: ms / sum(times.values()) for name, ms in times.items()}

    def _perform(
        self,
        networks: Mapping[str, Network],
        reference: str,
        reference_ms: float,
        protocol: Protocol,
        seed: int,
        progress: Progress = Progress(),  # noqa: B008  stateless
    ) -> Answer:
        request = Request(
            self._kind, self.precision, self.threads, networks, self._reference(reference), reference_ms,
            protocol, seed,
        )  # fmt: skip
        elsewhere = protocol.fresh or self.runtime.own_process or self.link.command != HERE
        answer = self.link.perform(request, progress) if elsewhere else _perform_here(request)
        self.store.add_reference(reference, self.key, answer.campaign.reference_ms)
        return answer

    def _check_and_store(
        self, answer: Answer, exported: Mapping[str, tuple[Network, Images]], reference: Scale
    ) -> dict[str, Measurement]:
        """Store and return the measurement of every network of one campaign, by key.

        Raises SurgenasError if a network computed something else than expected.
        """
        campaign = answer.campaign
        light = any(not network.is_heavy for network, _ in exported.values())
        kind = self.key if light else f"{self.key}/heavy"  # those that depend on caches repeat less well
        crowded = float(answer.context.get("crowded", 0.0))
        if crowded <= CROWD:  # what is refused says nothing of the device
            self.store.add_pairs(kind, answer.pairs)
        pairs = self.store.pair_history(kind)
        floor = float(np.quantile(pairs, 0.95)) if pairs else 0.0
        preempted = round(campaign.preempted, 4)
        context = {**answer.context, "preempted": preempted, "pairs": answer.pairs, "crowded": crowded}
        memory = watcher_slowdown(campaign, reference[1], self.store.reference_history(MEMORY.name, self.key))
        self.store.add_reference(MEMORY.name, self.key, watcher_minima_ms(campaign))
        found = {}
        for key, (network, expected) in exported.items():
            accepted = tolerance_for(self.precision, network)
            difference = check_equal(expected, answer.outputs[key], self.runtime.name, accepted)
            wrong = round(memory_effect(memory, network, self._reference(MEMORY.name)), 4) if memory else 0.0
            felt = context | {"memory": wrong}
            measured = measurement_of(key, self.key, campaign, reference, difference, floor, felt)
            found[key] = replace(measured, model_bytes=len(network.model))
            self.store.add(found[key], campaign.rounds[key], campaign.steady.get(key, ()))
        return found

    def _find_stored(self, jobs: Sequence[Job], reference: Scale | None) -> dict[str, Measurement]:
        """The latest stored measurement of each job at grade C or better, by key.

        With a reference given, only ratios to it count, and their milliseconds are put on its present scale.
        """
        known = {}
        for job in jobs:
            for m in self.store.find(job.key, self.key):
                if m.grade <= "C" and (reference is None or m.reference == reference[0]):
                    known[job.key] = m.on(reference[1], m.scale_doubt) if reference else m
        return known

    def _group_by_reference(
        self, networks: Mapping[str, Network], fresh: bool
    ) -> list[tuple[Scale, dict[str, Network]]]:
        """Group networks of like latency: ((name and latency in ms of the reference nearest to them), group).

        The reference's latency is what is known of it, after a look if there was none before. fresh: measure in
        processes of their own, which a network may take down.
        """
        middle, before = REFERENCES[2].name, {r.name for r in REFERENCES if self.store.looks(r.name, self.key)}
        rough = Protocol(rounds=3, max_rounds=3, warmup_s=0.1, block_ms=1.0, fresh=fresh)
        everything = {**networks, **{r.name: self._reference(r.name) for r in REFERENCES}}
        seen = self._perform(everything, middle, math.inf, rough, 0).campaign.rounds
        ms = {name: min(r.candidate.best_ms for r in rounds) for name, rounds in seen.items()}
        found = []
        for keys in group_by_latency({key: ms[key] for key in networks}):
            group = {key: networks[key] for key in keys}
            middle_ms = math.sqrt(ms[keys[0]] * ms[keys[-1]])
            name = min((r.name for r in REFERENCES), key=lambda n: abs(math.log(ms[n] / middle_ms)))
            if name not in before:
                self._perform({name: everything[name]}, name, math.inf, replace(self.look, fresh=fresh), 0)
            found.append(((name, know(self.store.looks(name, self.key)).ms), group))
        return found

    def _watcher(self, networks: Mapping[str, Network]) -> dict[str, Network]:
        """The network that is measured beside heavy ones, to notice what others do with the memory; else nothing."""
        heavy = any(network.is_heavy for network in networks.values())
        return {MEMORY.name: self._reference(MEMORY.name)} if heavy else {}

    def logits(self, job: Job, images: Images) -> Images:
        """The logits (N, classes) that the converted network computes for images (N, C, H, W), where it is measured."""
        network = self._convert(job)[0]
        elsewhere = self.runtime.own_process or self.link.command != HERE
        ask = self.link.ask if elsewhere else answer
        ordered = images.transpose(["NCHW".index(axis) for axis in job.layout])
        parts = [Inquiry(self._kind, self.precision, self.threads, network, part) for part in in_parts(ordered)]
        return np.concatenate([ask(part) for part in parts])

    @property
    def suffixes(self) -> tuple[str, ...]:
        return self.runtime.suffixes

    @property
    def runs_open_onnx(self) -> bool:
        return self.runtime.open_batch and self.precision == "fp32"

    def deliver(self, job: Job) -> dict[str, bytes]:
        return self.runtime.to_files(self._convert(job)[0].model)

    def _convert(self, job: Job) -> tuple[Network, Images]:
        return convert_for(self.runtime, job, self.batch, self.precision)

    @property
    def _kind(self) -> str:
        """How another process finds the runtime: its name in RUNTIMES, or its path "package.module:Class"."""
        kind = type(self.runtime)
        return self.runtime.name if self.runtime.name in RUNTIMES else f"{kind.__module__}:{kind.__qualname__}"

    def _reference(self, name: str) -> Network:
        return _reference(self._kind, name, self.batch, self.precision)


def _perform_here(request: Request) -> Answer:
    with in_one_line(request.runtime):
        return perform(request)


@cache
def _reference(runtime: str, name: str, batch: int, precision: str) -> Network:
    reference = find_reference(name)
    job = Job(name, reference.build, reference.input_shape)
    return convert_for(look_up("runtime", runtime, RUNTIMES)(), job, batch, precision)[0]
