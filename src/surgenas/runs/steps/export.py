"""The trained network as an ONNX file: reloaded, compared, and measured beside its rivals in one campaign."""

from __future__ import annotations

import torch

from surgenas.core.architecture import Architecture
from surgenas.core.catalog import look_up
from surgenas.core.errors import NoisyError, UsageError
from surgenas.core.files import write_atomic
from surgenas.core.units import show_ms
from surgenas.hardware import RUNTIMES
from surgenas.hardware.timed.conversion import check_equal
from surgenas.hardware.timed.measurement import Measurement, pool
from surgenas.hardware.onnx_file import add_metadata, to_onnx
from surgenas.nn.cost import layer_costs
from surgenas.runs.checkpoint import load_weights
from surgenas.runs.run import Run
from surgenas.core.cost import Cost
from surgenas.engine.jobs import job_of
from surgenas.hardware.costs import read_cost
from surgenas.hardware.target import Effort, TimedTarget
from surgenas.runs.steps.measured import measure
from surgenas.runs.steps.train import FOUND, rivals, weights_file
from surgenas.spaces import space_of


def export(run: Run, found: Architecture) -> None:
    """Write model.onnx (batch size open) and keep the largest difference to PyTorch on test images."""
    if run.result("export") is not None:
        return
    with run.stage("export") as result:
        space = space_of(found)
        network = load_weights(run.folder / weights_file(FOUND), space.build(found)).eval()
        model = to_onnx(network, space.input_shape, batch=None)
        data = run.data
        facts = {"classes": data.classes, "mean": data.mean, "std": data.std, "architecture": found.to_dict()}
        write_atomic(run.folder / "model.onnx", add_metadata(model, facts))
        images = data.normalise(data.test.images[:64]).numpy()
        runtime = look_up("runtime", "onnxruntime", RUNTIMES)()
        output = runtime.prepare((run.folder / "model.onnx").read_bytes(), images, 1, "fp32")()
        with torch.no_grad():
            expected = network(torch.from_numpy(images)).numpy()
        result["max_difference"] = check_equal(expected, output, "ONNX Runtime")
        result["same_class"] = float((output.argmax(1) == expected.argmax(1)).mean())


def verify(run: Run, found: Architecture, limit_ms: float) -> Cost:
    """The claim: the median over the confirming campaigns and as many more, which its rivals share."""
    known = run.result("verify")
    if known is None:
        with run.stage("verify") as result:
            result["costs"] = _campaign(run, found)
            result["layers"] = _layers(run, found)
        known = result
    claim = read_cost(known["costs"][FOUND])
    if claim.ms > limit_ms:
        run.progress.log(
            f"MISSED: {claim.evidence} {show_ms(claim.ms)}, limit {show_ms(limit_ms)}; a new search with --latency "
            f"{limit_ms**2 / claim.ms:.4g}ms leaves room for that"
        )
    if claim.grade == "D":
        run.progress.log("the machine was too busy: the latency is a grade D, not to be relied on")
    return claim


def _campaign(run: Run, found: Architecture) -> dict[str, dict[str, object]]:
    """Measurements by name. Raises NoisyError for a grade D under --strict; called again it measures anew."""
    others = rivals(run)
    archs, turn = [found, *others.values()], len(run.journal.all("noisy"))
    together = dict(zip([FOUND, *others], measure(run, "verify", archs, Effort.CLAIM, turn=turn), strict=True))
    confirmed, again = read_cost((run.result("derive") or {})["cost"]), together[FOUND]
    if isinstance(confirmed, Measurement) and isinstance(again, Measurement):
        together[FOUND] = pool([confirmed, again])
    if together[FOUND].grade == "D" and run.config.strict:
        run.journal.append("noisy", turn=turn)
        raise NoisyError(
            "the machine is too busy to measure (grade D) and --strict forbids it; "
            f"`surgenas resume {run.folder}` when it is idle"
        )
    return {name: m.to_dict() for name, m in together.items()}


def _layers(run: Run, arch: Architecture) -> list[dict[str, object]]:
    """Each layer's operator, shape and share of the latency, from a profiled run; None where the device cannot tell."""
    shares: dict[str, float] = {}
    try:
        nodes = run.target.layer_shares(job_of(arch)) if isinstance(run.target, TimedTarget) else {}
    except UsageError:
        nodes = {}
    for node, share in nodes.items():
        part = _part(node)
        shares[part] = shares.get(part, 0.0) + share
    space = space_of(arch)
    rows = layer_costs(space.parts(arch), space.input_shape)
    genes = ["fixed", *arch.genes, "fixed"]
    modules = ["stem", *(f"layers.{i}" for i in range(len(arch.genes))), "head"]
    return [
        {
            "name": row.name,
            "operator": gene,
            "out_shape": list(row.out_shape),
            "macs": row.macs,
            "params": row.params,
            "share": shares.get(module, 0.0) if nodes else None,
        }
        for row, gene, module in zip(rows, genes, modules, strict=True)
    ]


def _part(node: str) -> str:
    """'/layers/layers.3/bn1/Clip...' -> 'layers.3'; what the runtime adds belongs to the head."""
    parts = node.strip("/").split("/")
    if parts[0] == "layers" and len(parts) > 1:
        return parts[1]
    return parts[0] if parts[0] in ("stem", "head") else "head"
