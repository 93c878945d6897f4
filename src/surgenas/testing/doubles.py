"""Stand-ins that are quick and known: devices, a predictor, a space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import torch
from torch import Tensor, nn

from surgenas.core.cost import Cost, Effort, Failure
from surgenas.core.errors import UsageError
from surgenas.core.progress import Progress
from surgenas.core.space import Floats
from surgenas.hardware.devices import make_target
from surgenas.hardware.runtimes import Images
from surgenas.hardware.target import Job, Known, Scale, TargetInfo
from surgenas.hardware.timed.device import RuntimeDevice
from surgenas.hardware.timed.measurement import Measurement
from surgenas.hardware.timed.references import REFERENCES
from surgenas.hardware.timed.timing import Protocol
from surgenas.nn.blocks import classifier, conv_bn_act, mbconv
from surgenas.predictors.base import Predictor
from surgenas.spaces.chain import ChainSpace

_MS_OF: dict[str, float] = {}


def _toy_ms(network: nn.Module) -> float:
    layers = sum(isinstance(m, nn.Conv2d) for m in network.modules())
    return 1e-4 * layers + 1e-7 * sum(p.numel() for p in network.parameters())


class ToyDevice:
    """A simulated device, whose latency is a fixed function of the network, for tests of everything around it."""

    name = "toy"
    key = "toy/1"
    units = ("ms",)

    def describe(self) -> TargetInfo:
        return TargetInfo(self.name, self.key, "measured", "simulated", "none")

    def calibrate(self, job: Job) -> Scale:
        return "toy-reference", 1.0

    def known(self, reference: str) -> Known:
        return Known(1.0, 0.01)

    def on_scale(self, scale: Scale) -> Self:
        return self

    def price(
        self, jobs: Sequence[Job], effort: Effort = Effort.LEARN, *, seed: int = 0, reuse: bool = False,
        progress: Progress = Progress(),  # noqa: B008  stateless
    ) -> list[Cost | Failure]:  # fmt: skip
        return [self.measured(job, effort) for job in jobs]

    def measured(self, job: Job, effort: Effort) -> Cost | Failure:
        """The cost of one network. One of a space is built once in a process, which takes longer than all else here."""
        if job.arch and job.key not in _MS_OF:
            _MS_OF[job.key] = _toy_ms(job.module)
        ms = _MS_OF[job.key] if job.arch else _toy_ms(job.module)
        busy_ms = (ms,) * 8 + (1.5 * ms,) * 2
        return Measurement(
            job.key, self.key, ms, ms, 0.01, "A", 10, ms, 1.5 * ms, "toy-reference", 1.0, 0.0, spreads_ms=(busy_ms,) * 3
        )

    def layer_shares(self, job: Job) -> dict[str, float]:
        return {"/stem": 0.25, "/layers/layers.0": 0.5, "/head": 0.25}

    def logits(self, job: Job, images: Images) -> Images:
        raise UsageError("toy: nothing runs here")


class MuteDevice(ToyDevice):
    """A simulated device that cannot tell the latency of single layers."""

    def layer_shares(self, job: Job) -> dict[str, float]:
        raise UsageError("mute: layers are not told")


def toy_device() -> ToyDevice:
    """A ToyDevice, for `--device surgenas.testing:toy_device`."""
    return ToyDevice()


BRIEF = Protocol(rounds=3, max_rounds=3, warmup_s=0.01, duplicates=1)


def brief_device(name: str = "onnxruntime-cpu") -> RuntimeDevice:
    """A device that measures so briefly that no latency can be relied on."""
    device = make_target(name)
    assert isinstance(device, RuntimeDevice)
    return replace(device, protocols=dict.fromkeys(Effort, BRIEF), look=BRIEF)


def brief_int8_device() -> RuntimeDevice:
    """As brief_device, computing in int8, its milliseconds multiples of the smallest reference's: to quantize all of
    the references takes longer than all else."""
    return brief_device("onnxruntime-cpu-int8").on_scale((REFERENCES[0].name, 1.0))


class ZeroPredictor(Predictor):
    """A predictor that gives every network 1 ms, for a search that sees nothing but accuracy."""

    def learn(self, code_NLK: Floats, latency_ms_N: Floats) -> None:
        pass

    def predict_relaxed(self, gates_NLK: Tensor) -> Tensor:
        return 1.0 + 0.0 * gates_NLK.sum((1, 2))


class Planted(ChainSpace):
    """A space of six layers with four operators, one of which (`bad`) destroys its input; a good search avoids it
    everywhere."""

    name = "planted"
    SHAPES = ((8, 8, 1), (8, 16, 2), (16, 16, 1), (16, 16, 1), (16, 24, 2), (24, 24, 1))
    OPTIONS = ("k3e3", "bad", "k5e3", "k3e6")

    @property
    def input_shape(self) -> tuple[int, int, int]:
        return (3, 16, 16)

    def stem(self, *, affine: bool) -> nn.Module:
        return conv_bn_act(3, 8, kernel=3, stride=2, affine=affine)

    def operator(self, gene: str, cin: int, cout: int, stride: int, *, affine: bool) -> nn.Module:
        if gene == "bad":
            return nn.Sequential(conv_bn_act(cin, cout, kernel=1, stride=stride, affine=affine), _Noise())
        return mbconv(cin, cout, kernel=int(gene[1]), expand=int(gene[3]), stride=stride, affine=affine)

    def head(self, *, affine: bool) -> nn.Module:
        return classifier(24, 64, 0, 10, dropout=0.0, affine=affine)


class _Noise(nn.Module):
    """Replaces its input by noise in training and zeros in eval. It has one weight, so that it can be counted."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.scale * (torch.randn_like(x_NCHW) if self.training else torch.zeros_like(x_NCHW))
