"""How much does a network compute and hold? MACs and parameters, counted by torch itself on shapes alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from surgenas.nn.substitution import call_with


@dataclass(frozen=True)
class LayerCost:
    """What one module costs: the shape of its output without the batch, its MACs for one image, its parameters."""

    name: str
    out_shape: tuple[int, ...]
    macs: float
    params: int


def count(network: nn.Module, input_shape: tuple[int, int, int]) -> tuple[float, int]:
    """(MACs, parameters) of a network for one image of (C, H, W). Only shapes are passed on; nothing is computed."""
    macs, _ = _run(network, torch.empty(1, *input_shape, device="meta"))
    return macs, sum(p.numel() for p in network.parameters())


def output_shape(network: nn.Module, input_shape: tuple[int, int, int]) -> tuple[int, ...]:
    """The shape of what a network computes for one image of (C, H, W), without the batch."""
    with _without_values(network) as forward:
        return tuple(forward(torch.empty(1, *input_shape, device="meta")).shape[1:])


def cost_of(
    module: nn.Module, input_shape: tuple[int, int, int], counted: tuple[type[nn.Module], ...] | None = None
) -> tuple[float, float, float]:
    """(MACs, parameters, moved bytes) of a module for one input of (C, H, W). counted: the classes of layers whose
    bytes are counted, MOVING if none are said."""
    return cost_and_shape(module, input_shape, counted or MOVING)[0]


def cost_and_shape(
    module: nn.Module, input_shape: tuple[int, int, int], counted: tuple[type[nn.Module], ...] | None = None
) -> tuple[tuple[float, float, float], tuple[int, ...]]:
    """((MACs, parameters, moved bytes), the shape of the output without the batch) of a module for one input of
    (C, H, W)."""
    macs, works, out = _pass_on(module, input_shape, counted or MOVING)
    return (macs, float(sum(p.numel() for p in module.parameters())), _moved_bytes(works)), out


def layer_costs(parts: list[tuple[str, nn.Module]], input_shape: tuple[int, int, int]) -> list[LayerCost]:
    """The costs of the named modules of a chain, for one image of (C, H, W) at the first of them."""
    x = torch.empty(1, *input_shape, device="meta")
    rows = []
    for name, part in parts:
        macs, x = _run(part, x)
        params = sum(p.numel() for p in part.parameters())
        rows.append(LayerCost(name, tuple(x.shape[1:]), macs, params))
    return rows


MOVING = (nn.Conv2d, nn.Linear, nn.AvgPool2d)
"""The layers whose traffic `moved_bytes` counts: what predictors have learned from since the beginning."""
WORKING = (*MOVING, nn.MaxPool2d, nn.AdaptiveAvgPool2d)
"""These and the other pooling layers."""
Kind = Literal["dense", "depthwise", "pooling"]


@dataclass(frozen=True)
class LayerWork:
    """What one layer does for one image: its MACs, the values that it reads and writes, its weights with its biases.

    kind: a convolution is depthwise if it has one filter for each input channel; all others are dense, as is a linear
    layer. bits: of each weight, where a layer says so; else 0.
    """

    name: str
    kind: Kind
    macs: int
    values: int
    weights: int
    bits: int = 0


def work_of(
    network: nn.Module, input_shape: tuple[int, int, int], counted: tuple[type[nn.Module], ...] = WORKING
) -> tuple[float, list[LayerWork]]:
    """(all MACs, the work of every layer of the counted classes in the order in which they run), for one image of
    (C, H, W). What other layers compute is in the MACs alone."""
    return _pass_on(network, input_shape, counted)[:2]


def _pass_on(
    network: nn.Module, input_shape: tuple[int, int, int], counted: tuple[type[nn.Module], ...]
) -> tuple[float, list[LayerWork], tuple[int, ...]]:
    """What `work_of` finds, and the shape of the output without the batch."""
    found: list[LayerWork] = []
    names = {module: name for name, module in network.named_modules()}

    def count_layer(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        weights = sum(p.numel() for p in module.parameters())
        values = inputs[0].numel() + output.numel()
        found.append(
            LayerWork(names[module], _kind(module), _macs(module, output), values, weights, getattr(module, "bits", 0))
        )

    with ExitStack() as hooks:
        for module in names:
            if isinstance(module, counted):
                hooks.callback(module.register_forward_hook(count_layer).remove)
        macs, out = _run(network, torch.empty(1, *input_shape, device="meta"))
    return macs, found, tuple(out.shape[1:])


def moved_bytes(network: nn.Module, input_shape: tuple[int, int, int]) -> float:
    """The bytes in fp32 that a network moves for one image of (C, H, W) if nothing is cached.

    Counted are input, weights and output of every convolution, average pooling and linear layer; weights in their bits
    where a layer says them.
    """
    return _moved_bytes(work_of(network, input_shape, MOVING)[1])


def _moved_bytes(works: list[LayerWork]) -> float:
    return float(sum(4 * work.values + (work.bits or 32) / 8 * work.weights for work in works))


def _kind(module: nn.Module) -> Kind:
    if isinstance(module, nn.Conv2d):
        return "depthwise" if module.groups == module.in_channels > 1 else "dense"
    return "dense" if isinstance(module, nn.Linear) else "pooling"


def _macs(module: nn.Module, output: torch.Tensor) -> int:
    """Every output value of a convolution or linear layer takes one MAC for each weight of its filter."""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        return output.numel() * module.weight[0].numel()
    return 0


ELEMENTWISE = (F.batch_norm, F.dropout, F.gelu, F.hardsigmoid, F.hardswish, F.hardtanh, F.relu, F.relu6, F.silu)
"""Their output has the shape of their first input, and no counted MACs."""


class _ByFormula(TorchFunctionMode):
    """Hands on the input of functions that change no shape, and counts convolutions and linear layers by their formula.

    Without values, torch 2.14 takes ten times as long for any of them. macs: what was counted.
    """

    def __init__(self) -> None:
        super().__init__()
        self.macs = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func in ELEMENTWISE:
            return args[0]
        shape = None if kwargs else _shape_by_formula(func, args)
        if shape is None:
            return func(*args, **(kwargs or {}))
        self.macs += math.prod(shape) * args[1][0].numel()
        return args[0].new_empty(shape)


def _shape_by_formula(func: Callable[..., Any], args: tuple[Any, ...]) -> tuple[int, ...] | None:
    """The shape of what a convolution of images or a linear layer computes; None for anything else, and for arguments
    that torch should judge."""
    if func is F.linear:
        (*lead, cin), (cout, wanted) = args[0].shape, args[1].shape
        return (*lead, cout) if cin == wanted else None
    if func is not F.conv2d or len(args) != 7 or args[0].ndim != 4 or isinstance(args[4], str):
        return None
    (N, cin, *size), (cout, wanted, *kernel) = args[0].shape, args[1].shape
    if cin != wanted * args[6]:
        return None
    each = zip(size, kernel, *args[3:6], strict=True)
    out = [(n + 2 * padding - dilation * (k - 1) - 1) // stride + 1 for n, k, stride, padding, dilation in each]
    return (N, cout, *out) if min(out) > 0 else None


def _run(network: nn.Module, x: Tensor) -> tuple[float, Tensor]:
    """(MACs, output) of a network for an input without values."""
    others, formula = FlopCounterMode(display=False), _ByFormula()
    with _without_values(network) as forward, others, formula:
        out = forward(x)
    return formula.macs + others.get_total_flops() / 2, out


@contextmanager
def _without_values(network: nn.Module) -> Iterator[Callable[[Tensor], Tensor]]:
    """The network as a function of tensors without values, in eval mode; afterwards it is as it was."""
    shapes = {name: held.to("meta") for name, held in (*network.named_parameters(), *network.named_buffers())}
    training = [module for module in network.modules() if module.training]
    network.eval()
    try:
        with torch.no_grad():
            yield lambda x: call_with(network, shapes, x)
    finally:
        for module in training:
            module.training = True
