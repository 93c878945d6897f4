"""What is measured under the name of a timm model? The network as it is deployed, for images of the size asked for."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from surgenas.core.units import show_sides
from surgenas.hardware.target import Job
from surgenas.hardware.timed.conversion import check_equal
from surgenas.nn.named import build_named, check_name, input_shape
from surgenas.nn.statistics import settle_statistics

SAME = 0.02
"""How far the logits of a network as trained and as deployed may be apart, as a share of the largest: sums are rounded
otherwise, by up to .002 in deep networks of random weights (mobileone_s4); another image's logits are .5 apart."""
DEPLOYED = "as it is deployed: trained branches and norms are fused (timm.utils.reparameterize_model)"


def read_timm(name: str, size: tuple[int, int] = (0, 0)) -> Job:
    """The job that measures a timm model with random weights. size: (H, W) in pixels; 0 for the model's own.

    Raises UsageError for a name that timm does not know, and for a size at which it cannot make the model.
    """
    import timm

    check_name(
        name, f"{name!r} is neither a file nor a timm model; expected an architecture.json, a run folder, an .onnx file"
    )
    shape = input_shape(name, size)
    make = partial(build_named, name, shape)
    fusible = any(_is_fusible(module) for child in make().children() for module in child.modules())
    key = f"timm-{timm.__version__}-{name}-{show_sides(*shape[1:])}"
    if not fusible:
        return Job(key, make, shape)
    return Job(f"{key}-deployed", lambda: deployed(make(), shape), shape, notes=(DEPLOYED,))


def _is_fusible(module: nn.Module) -> bool:
    """Whether `reparameterize_model` changes it."""
    return any(hasattr(module, way) for way in ("fuse", "reparameterize", "switch_to_deploy"))


def deployed(network: nn.Module, input_shape: tuple[int, int, int]) -> nn.Module:
    """The network as it is deployed, in eval mode: timm fuses what was only there for training.

    input_shape: (C, H, W). Its BN statistics are settled first, since they are fused as well. Raises SurgenasError if
    the result computes something else.
    """
    from timm.utils.model import reparameterize_model

    trained = settle_statistics(network, input_shape)
    images = torch.randn(2, *input_shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = trained(images).numpy()
        found: nn.Module = reparameterize_model(trained, inplace=True).eval()
        check_equal(expected, found(images).numpy(), "timm's fused network", SAME)
    return found
