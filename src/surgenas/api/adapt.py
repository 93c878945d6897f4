"""A network that exists, made as small as a latency limit asks for: a search whose space is that network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from surgenas.api.runs import Result, search
from surgenas.core.errors import UsageError
from surgenas.core.progress import Progress


def adapt(
    network: str,
    weights: str = "timm",
    data: str = "digits",
    device: str = "onnxruntime-cpu",
    latency_ms: float | None = None,
    *,
    out: str | Path | None = None,
    log_to: Sequence[str] = (),
    progress: Progress | None = None,
    **settings: Any,
) -> Result:
    """Make a network with trained weights as small as a limit asks for; train, export and measure it.

    network: a name that timm knows, such as "resnet18". weights: a file of its weights (.safetensors, or .pth of
    tensors alone), or "timm" for those that timm publishes. Everything else as for `search`; latency_ms: None for half
    of the whole network's. A limit that the whole network meets is said so, and it is only trained. Raises a
    SurgenasError that says what to do.
    """
    said = {"weights": weights, "data": data, "device": device, "latency_ms": latency_ms, **settings}
    return search(out=out, log_to=log_to, progress=progress, **adapting(network, said))


def adapting(network: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """What the words of `adapt` are as words of `search`. Raises UsageError for a network that timm does not know."""
    from surgenas.nn.named import check_name, input_shape
    from surgenas.runs.config import ADAPTING, PUBLISHED

    if "space" in said:
        raise UsageError("the space of `adapt` is the network; leave `space` out, or use `search`")
    check_name(network, f"{network!r} is no network of timm; expected one of `timm.list_models()`")
    side = said.get("resolution") or input_shape(network)[1]
    own = {"network": network, **said.get("space_settings", {})}
    return {"method": ADAPTING, **said, "weights": said.get("weights") or PUBLISHED, "space": "elastic",
            "space_settings": own, "resolution": side}  # fmt: skip
