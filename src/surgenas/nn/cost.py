"""How much does a network compute and hold? MACs and parameters, counted by torch itself on shapes alone."""

from __future__ import annotations

import copy
from dataclasses import dataclass

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


_MOVING = (nn.Conv2d, nn.Linear, nn.AvgPool2d)


def moved_bytes(network: nn.Module, input_shape: tuple[int, int, int]) -> float:
    """The bytes in fp32 that a network moves for one image of (C, H, W) if nothing is cached.

    Counted are input, weights and output of every convolution, pooling and linear layer.
    """
    network = _on_meta(network)
    total = 0

    def count_layer(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal total
        total += 4 * (inputs[0].numel() + output.numel() + sum(p.numel() for p in module.parameters()))

    hooks = [m.register_forward_hook(count_layer) for m in network.modules() if isinstance(m, _MOVING)]
    with torch.no_grad():
        network(torch.empty(1, *input_shape, device="meta"))
    for hook in hooks:
        hook.remove()
    return float(total)


def _on_meta(network: nn.Module) -> nn.Module:
    parameter = next(network.parameters(), None)
    if parameter is not None and parameter.device.type != "meta":
        network = copy.deepcopy(network).to("meta")
    return network.eval()
