"""Which networks can shrink, how far, and does the smaller one compute what it should? One row a network.

    python benchmarks/elastic.py [NAME ...] [--keep]

Every network is traced and checked, its channels are sorted, and five shapes are tried (the smallest, and four at
random, of groups, blocks and kernels), with weights of which no two are the same. The names are timm's, and one of
torchvision's. Seconds are processor time of one thread.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import timm
import torch
import torchvision
from common import finish
from torch import Tensor, nn

from surgenas.core.errors import UsageError
from surgenas.nn.cost import count
from surgenas.nn.elastic import Shape, Structure, checked, cut, sliced, sort_channels, trace
from surgenas.nn.elastic.slicing import plan_of

NAMES = """
    resnet18 resnet50 resnet18d mobilenetv2_100 mobilenetv2_050 mobilenetv3_small_100 mobilenetv3_large_100
    mobilenetv4_conv_small mobilenetv4_conv_medium efficientnet_b0 tf_efficientnet_lite0 efficientnet_lite0
    tf_efficientnetv2_b0 efficientnetv2_rw_t convnext_atto convnext_femto convnextv2_atto regnetx_002 regnety_002
    regnetz_005 ghostnet_100 ghostnetv2_100 mobileone_s0 mobileone_s1 repvgg_a0 repvgg_b0 hardcorenas_a mnasnet_100
    fbnetc_100 spnasnet_100 tinynet_e lcnet_050 semnasnet_075 vit_tiny_patch16_224 deit_tiny_patch16_224 repvit_m0_9
    fastvit_t8 edgenext_xx_small mobilevit_xxs efficientformer_l1 shufflenet_v2_x1_0
"""
SIDE = 96
FIXED_SIDES = {"vit_tiny_patch16_224": 224, "deit_tiny_patch16_224": 224, "efficientformer_l1": 224}
EXPECTED = ("channels of the input", "channels of the output", "only ")
"""Reasons that every network has."""


def made(name: str) -> tuple[nn.Module, Tensor]:
    """A network of random weights of which no two are the same, in eval mode, and one image."""
    torch.manual_seed(0)
    of_torchvision = name.startswith("shufflenet")
    network: nn.Module = getattr(torchvision.models, name)() if of_torchvision else timm.create_model(name)
    with torch.no_grad():
        for p in network.parameters():
            if p.ndim <= 1 or float(p.abs().max()) < 1e-3:
                p.add_(0.2 * torch.randn(p.shape))
        for path, buffer in network.named_buffers():
            if path.endswith(("running_mean", "running_var")):
                buffer.add_(0.3 * torch.rand(buffer.shape))
    side = FIXED_SIDES.get(name, SIDE)
    return network.eval(), torch.randn(1, 3, side, side)


def drawn(structure: Structure, rng: np.random.Generator) -> Shape:
    return Shape(
        {group.name: int(rng.choice(group.widths)) for group in structure.groups},
        tuple(path for path in structure.blocks if rng.random() < 0.5),
        {path: int(rng.choice(range(3, side + 1, 2))) for path, side in structure.kernels.items()},
    )


@torch.no_grad()
def unequal(network: nn.Module, structure: Structure, x: Tensor) -> int:
    """Of five shapes, those whose sliced and cut networks differ in any bit."""
    rng = np.random.default_rng(0)
    shapes = [structure.smallest(), *(drawn(structure, rng) for _ in range(4))]
    return sum(
        not torch.equal(sliced(network, structure, shape, x), cut(network, structure, shape)(x)) for shape in shapes
    )


def milliseconds(work: Callable[[], object]) -> float:
    """Processor time, the least of five, after one that is not counted."""
    work()
    times = []
    for _ in range(5):
        start = time.process_time()
        work()
        times.append(1e3 * (time.process_time() - start))
    return min(times)


@torch.no_grad()
def passes(network: nn.Module, structure: Structure, x: Tensor) -> dict[str, float]:
    """One image through the large network, its half sliced, its half cut; what a new shape costs before. In ms."""
    half = structure.at(0.5)
    plan, small = plan_of(network, structure, half), cut(network, structure, half)
    return {
        "large_ms": milliseconds(lambda: network(x)),
        "sliced_ms": milliseconds(lambda: sliced(network, structure, half, x, plan)),
        "cut_ms": milliseconds(lambda: small(x)),
        "plan_ms": milliseconds(lambda: plan_of(network, structure, half)),
    }


def row(name: str) -> dict[str, Any]:
    network, x = made(name)
    start = time.process_time()
    traced = trace(network, x)
    middle = time.process_time()
    structure = checked(network, traced, x)
    end = time.process_time()
    with torch.no_grad():
        before = network(x)
        sort_channels(network, structure)
        moved = float((network(x) - before).abs().max() / before.abs().max())
    shape = (3, x.shape[2], x.shape[3])
    macs, params = count(network, shape)
    half_macs, half_params = count(cut(network, structure, structure.at(0.5)), shape)
    shrinking = {member.name for group in structure.groups for member in group.members}
    in_groups = sum(p.numel() for path, p in network.named_parameters() if path in shrinking)
    reasons = Counter(group.reason for group in structure.fixed if not group.reason.startswith(EXPECTED))
    return {
        "name": name,
        "groups": len(structure.groups),
        "refused": len(traced.groups) - len(structure.groups),
        "params": params,
        "in_groups": in_groups / params,
        "half_params": half_params / params,
        "half_macs": half_macs / macs,
        "blocks": len(structure.blocks),
        "kernels": len(structure.kernels),
        "not_exact": sum(not group.exact for group in structure.groups),
        "sorted_apart": moved,
        "unequal_of_5": unequal(network, structure, x),
        **passes(network, structure, x),
        "trace_s": middle - start,
        "check_s": end - middle,
        "fixed": dict(reasons.most_common(4)),
        "refused_parts": dict(structure.refused),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=NAMES.split())
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    rows = []
    for name in args.names:
        try:
            rows.append(row(name))
        except (UsageError, RuntimeError) as error:
            rows.append({"name": name, "error": str(error).splitlines()[0]})
        print(rows[-1], file=sys.stderr, flush=True)
    finish("elastic", {"side": SIDE, "networks": rows})


if __name__ == "__main__":
    main()
