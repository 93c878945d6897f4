"""How much does a network compute and hold? MACs and parameters, counted by torch itself on shapes alone."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class LayerCost:
    """What one module costs: the shape of its output without the batch, its MACs for one image, its parameters."""

    name: str
    out_shape: tuple[int, ...]
    macs: float
    params: int


def count(network: nn.Module, input_shape: tuple[int, int, int]) -> tuple[float, int]:
    """(MACs, parameters) of a network for one image of (C, H, W). Only shapes are passed on; nothing is computed."""
    network = _on_meta(network)
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(torch.empty(1, *input_shape, device="meta"))
    return counter.get_total_flops() / 2, sum(p.numel() for p in network.parameters())


def output_shape(network: nn.Module, input_shape: tuple[int, int, int]) -> tuple[int, ...]:
    """The shape of what a network computes for one image of (C, H, W), without the batch."""
    with torch.no_grad():
        return tuple(_on_meta(network)(torch.empty(1, *input_shape, device="meta")).shape[1:])


def cost_of(module: nn.Module, input_shape: tuple[int, int, int]) -> tuple[float, float, float]:
    """(MACs, parameters, moved bytes) of a module for one input of (C, H, W)."""
    macs, params = count(module, input_shape)
    return macs, float(params), moved_bytes(module, input_shape)


def layer_costs(parts: list[tuple[str, nn.Module]], input_shape: tuple[int, int, int]) -> list[LayerCost]:
    """The costs of the named modules of a chain, for one image of (C, H, W) at the first of them."""
    x = torch.empty(1, *input_shape, device="meta")
    rows = []
    for name, part in parts:
        part = _on_meta(part)
        counter = FlopCounterMode(display=False)
        with counter, torch.no_grad():
            x = part(x)
        params = sum(p.numel() for p in part.parameters())
        rows.append(LayerCost(name, tuple(x.shape[1:]), counter.get_total_flops() / 2, params))
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
    layer.
    """

    name: str
    kind: Kind
    macs: int
    values: int
    weights: int


def layer_works(
    network: nn.Module, input_shape: tuple[int, int, int], counted: tuple[type[nn.Module], ...] = WORKING
) -> list[LayerWork]:
    """The work of every layer of the counted classes for one image of (C, H, W), in the order in which they run."""
    network = _on_meta(network)
    found: list[LayerWork] = []
    names = {module: name for name, module in network.named_modules()}

    def count_layer(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        weights = sum(p.numel() for p in module.parameters())
        values = inputs[0].numel() + output.numel()
        found.append(LayerWork(names[module], _kind(module), _macs(module, output), values, weights))

    hooks = [module.register_forward_hook(count_layer) for module in names if isinstance(module, counted)]
    with torch.no_grad():
        network(torch.empty(1, *input_shape, device="meta"))
    for hook in hooks:
        hook.remove()
    return found


def moved_bytes(network: nn.Module, input_shape: tuple[int, int, int]) -> float:
    """The bytes in fp32 that a network moves for one image of (C, H, W) if nothing is cached.

    Counted are input, weights and output of every convolution, average pooling and linear layer.
    """
    return float(sum(4 * (work.values + work.weights) for work in layer_works(network, input_shape, MOVING)))


def _kind(module: nn.Module) -> Kind:
    if isinstance(module, nn.Conv2d):
        return "depthwise" if module.groups == module.in_channels > 1 else "dense"
    return "dense" if isinstance(module, nn.Linear) else "pooling"


def _macs(module: nn.Module, output: torch.Tensor) -> int:
    """Every output value of a convolution or linear layer takes one MAC for each weight of its filter."""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        return output.numel() * module.weight[0].numel()
    return 0


def _on_meta(network: nn.Module) -> nn.Module:
    """A copy without values in eval mode; the network itself where it is that already."""
    tensors = (*network.parameters(), *network.buffers())
    if network.training or any(tensor.device.type != "meta" for tensor in tensors):
        network = copy.deepcopy(network).to("meta")
    return network.eval()
