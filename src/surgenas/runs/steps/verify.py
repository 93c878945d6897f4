"""The claim of a run: what the found network costs, measured together with its rivals, and where in the network."""

from __future__ import annotations

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Named
from surgenas.core.cost import Cost, Effort
from surgenas.core.errors import NoisyError, UsageError
from surgenas.engine.jobs import home_of, job_of
from surgenas.hardware.target import TimedTarget
from surgenas.hardware.timed.measurement import Measurement, pool
from surgenas.nn.cost import layer_costs
from surgenas.runs.delivery import delivered_job
from surgenas.runs.measured import measure
from surgenas.runs.names import FOUND
from surgenas.runs.resources import excess
from surgenas.runs.results import Layer, Verified
from surgenas.runs.run import Run
from surgenas.runs.slowdown import describe_limit, share_of_limit


def verify(run: Run) -> Verified:
    """Costs of the found network and its rivals from a joint measurement, and the found network's layers."""
    return Verified(_campaign(run), _layers(run, run.derived.architecture))


def say_claim(run: Run) -> None:
    """Log a warning if the limit is missed or the latency cannot be relied on."""
    claim, reached = run.verified.costs[FOUND], run.reached
    share = share_of_limit(run, claim)
    if share > 1:
        lower_ms = (reached.asked_ms or reached.limit_ms) / share
        room = f"; a new search with --latency {lower_ms:.4g}ms leaves room for that"
        run.progress.log(
            f"MISSED: {claim.evidence} {share:.1%} of the limit, {describe_limit(run)}"
            f"{room if lower_ms >= reached.low_ms * (reached.slowdown or 1.0) else ', and nothing here is much faster'}"
        )
    if over := excess(run, claim):
        run.progress.log(f"MISSED: the found network needs {over}")
    if claim.grade == "D":
        run.progress.log("the machine was too busy: the latency is a grade D, not to be relied on")


def _campaign(run: Run) -> dict[str, Cost]:
    """Costs by name, measured together; of the found network the files that were delivered, as they are. Where there
    are none, its confirming campaigns count too.

    Raises NoisyError for a grade D under --strict; the next call measures again.
    """
    networks, delivered = {FOUND: run.derived.architecture, **run.rivals.architectures}, delivered_job(run)
    turn = len(run.journal.all("noisy")) + len(run.journal.all("done", step="verify"))  # files may have changed since
    effort = Effort.CONFIRM if delivered else Effort.CLAIM  # nothing else counts of what was delivered
    found = measure(run, "verify", list(networks.values()), effort, turn=turn, first=delivered)
    together = dict(zip(networks, found, strict=True))
    confirmed, again = run.derived.cost, together[FOUND]
    if delivered is None and isinstance(confirmed, Measurement) and isinstance(again, Measurement):
        together[FOUND] = pool([confirmed, again])
    if together[FOUND].grade == "D" and run.config.target.strict:
        run.journal.append("noisy", turn=turn)
        raise NoisyError(
            "the machine is too busy to measure (grade D) and --strict forbids it; "
            f"`surgenas resume {run.folder}` when it is idle"
        )
    return together


def _layers(run: Run, arch: Architecture) -> tuple[Layer, ...]:
    """Operator, shape and share of the latency of each layer; empty for networks whose parts have no names."""
    space = home_of(arch, run.space)
    if not isinstance(space, Named):
        return ()
    shares = _shares(run, arch)
    parts = space.parts(arch)
    modules = ["stem", *(f"layers.{i}" for i in range(len(parts) - 2)), "head"]
    return tuple(
        Layer(
            row.name, moves.taken_in(space, arch, row.name), row.out_shape, row.macs, row.params,
            shares.get(module, 0.0) if shares else None,
        )
        for row, module in zip(layer_costs(parts, space.input_shape), modules, strict=True)
    )  # fmt: skip


def _shares(run: Run, arch: Architecture) -> dict[str, float]:
    """Share of the latency of each part of a chain; empty if the target cannot tell."""
    try:
        nodes = run.target.layer_shares(job_of(arch, run.space)) if isinstance(run.target, TimedTarget) else {}
    except UsageError:
        nodes = {}
    shares: dict[str, float] = {}
    for node, share in nodes.items():
        shares[_part(node)] = shares.get(_part(node), 0.0) + share
    return shares


def _part(node: str) -> str:
    """'/layers/layers.3/bn1/Clip...' -> 'layers.3'; what the runtime adds belongs to the head."""
    parts = node.strip("/").split("/")
    if parts[0] == "layers" and len(parts) > 1:
        return parts[1]
    return parts[0] if parts[0] in ("stem", "head") else "head"
