"""A device whose latencies come from a file of recorded measurements, so that two builds of this program, or two runs,
see the same ones: `--device replay_device:recorded`, with this folder on the path.

The file holds networks of the four methods' spaces as ONNX Runtime was measured on them once. A latency is the sum of
what their convolutions take, at the rates that explain the recorded ones best; nothing here looks at a clock.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.optimize import nnls
from torch import nn

from surgenas.core.errors import UsageError

try:
    from surgenas.hardware.target import TargetInfo
    from surgenas.hardware.timed.measurement import Measurement
except ImportError:  # builds until b10adc8
    from surgenas.hardware.measurement import Measurement  # type: ignore[import-not-found, no-redef]

    TargetInfo = None  # type: ignore[assignment, misc]
if TYPE_CHECKING:
    from surgenas.hardware.target import Job

RECORDED = Path(__file__).parent / "recorded_latencies.json"
FEATURES = ("convolutions", "depthwise MMACs", "other MMACs", "thousand parameters")


def features(network: nn.Module, input_shape: tuple[int, int, int]) -> tuple[float, ...]:
    """What a latency is explained by, as FEATURES names it."""
    counted = np.zeros(len(FEATURES))

    def count(module: nn.Conv2d, _inputs: object, output: torch.Tensor) -> None:
        per_output = module.weight[0].numel()
        macs = output[0].numel() * per_output / 1e6
        depthwise = module.groups == module.in_channels > 1
        counted[:3] += (1, macs, 0) if depthwise else (1, 0, macs)

    network = network.eval()
    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv2d)]
    with torch.inference_mode():  # on so few pixels torch computes faster than it tells shapes
        network(torch.zeros(1, *input_shape))
    for hook in hooks:
        hook.remove()
    counted[3] = sum(p.numel() for p in network.parameters()) / 1e3
    return tuple(counted.tolist())


@cache
def rates() -> np.ndarray:
    """Milliseconds for one of each feature, none below 0."""
    rows = np.array(json.loads(RECORDED.read_text())["networks"])
    weights = 1 / rows[:, -1:]  # relative errors count
    return nnls(rows[:, :-1] * weights, np.ones(len(rows)))[0]


class RecordedDevice:
    """What `surgenas.hardware.target.TimedTarget` asks for, and what builds until b10adc8 asked of a device."""

    name = "recorded"
    key = "recorded/1"
    units = ("ms",)

    def describe(self) -> Any:
        facts = {"name": self.name, "key": self.key, "runtime": "recorded", "processor": "of the record"}
        return TargetInfo(**facts, evidence="measured") if TargetInfo else facts

    def calibrate(self, job: Job) -> tuple[str, float]:
        return "recorded-reference", 1.0

    def known(self, reference: str) -> Any:
        from surgenas.hardware.target import Known  # builds before had none

        return Known(1.0, 0.01)

    def on_scale(self, scale: tuple[str, float]) -> RecordedDevice:
        return self

    def price(self, jobs: Sequence[Job], effort: object = None, **how: Any) -> list[Measurement]:
        return [self._measured(job) for job in jobs]

    def measure(self, jobs: Sequence[Job], **how: Any) -> list[Measurement]:
        return self.price(jobs)

    def layer_shares(self, job: Job) -> dict[str, float]:
        raise UsageError("recorded: layers are not told")

    def logits(self, job: Job, images: Any) -> Any:
        raise UsageError("recorded: nothing runs here")

    def _measured(self, job: Job) -> Measurement:
        ms = float(np.dot(rates(), features(job.module, job.input_shape)))
        return Measurement(job.key, self.key, ms, ms, 0.01, "A", 10, ms, ms, "recorded-reference", 1.0, 0.0)


def recorded() -> RecordedDevice:
    """For `--device replay_device:recorded`."""
    return RecordedDevice()
