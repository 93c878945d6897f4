"""The claim: what the found network costs, asked together with its rivals, and where in the network that goes."""

from __future__ import annotations

from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Named
from surgenas.core.cost import Cost, Effort
from surgenas.core.errors import NoisyError, UsageError
from surgenas.core.units import show_ms
from surgenas.engine.jobs import home_of, job_of
from surgenas.hardware.target import TimedTarget
from surgenas.hardware.timed.measurement import Measurement, pool
from surgenas.nn.cost import layer_costs
from surgenas.runs.measured import measure
from surgenas.runs.results import FOUND, Layer, Verified
from surgenas.runs.run import Run


def verify(run: Run) -> Verified:
    """The median over the confirming campaigns and as many more, which its rivals share."""
    return Verified(_campaign(run), _layers(run, run.derived.architecture))


def say_claim(run: Run) -> None:
    """A limit that was missed, or a number that cannot be relied on, is never silent."""
    claim, limit_ms = run.verified.costs[FOUND], run.reached.limit_ms
    if claim.ms > limit_ms:
        run.progress.log(
            f"MISSED: {claim.evidence} {show_ms(claim.ms)}, limit {show_ms(limit_ms)}; a new search with --latency "
            f"{limit_ms**2 / claim.ms:.4g}ms leaves room for that"
        )
    if claim.grade == "D":
        run.progress.log("the machine was too busy: the latency is a grade D, not to be relied on")


def _campaign(run: Run) -> dict[str, Cost]:
    """Costs by name. Raises NoisyError for a grade D under --strict; called again it measures anew."""
    networks, turn = {FOUND: run.derived.architecture, **run.rivals.architectures}, len(run.journal.all("noisy"))
    found = measure(run, "verify", list(networks.values()), Effort.CLAIM, turn=turn)
    together = dict(zip(networks, found, strict=True))
    confirmed, again = run.derived.cost, together[FOUND]
    if isinstance(confirmed, Measurement) and isinstance(again, Measurement):
        together[FOUND] = pool([confirmed, again])
    if together[FOUND].grade == "D" and run.config.target.strict:
        run.journal.append("noisy", turn=turn)
        raise NoisyError(
            "the machine is too busy to measure (grade D) and --strict forbids it; "
            f"`surgenas resume {run.folder}` when it is idle"
        )
    return together


def _layers(run: Run, arch: Architecture) -> tuple[Layer, ...]:
    """Each layer's operator, shape and share of the latency, from a profiled run; None where the target cannot tell.
    Nothing for networks whose parts have no names."""
    space = home_of(arch, run.space)
    if not isinstance(space, Named):
        return ()
    shares = _shares(run, arch)
    parts = space.parts(arch)
    modules = ["stem", *(f"layers.{i}" for i in range(len(parts) - 2)), "head"]
    genes = {choice.name: gene for choice, gene in zip(space.choices, arch.genes, strict=True)}
    return tuple(
        Layer(
            row.name, genes.get(row.name, "fixed"), row.out_shape, row.macs, row.params,
            shares.get(module, 0.0) if shares else None,
        )
        for row, module in zip(layer_costs(parts, space.input_shape), modules, strict=True)
    )  # fmt: skip


def _shares(run: Run, arch: Architecture) -> dict[str, float]:
    """Of the parts of a chain; empty where the target cannot tell."""
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
