"""A network as an ONNX file, and as bytes: the form in which it leaves PyTorch."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Mapping
from typing import Any

import onnx
import torch
from torch import nn


def to_onnx(network: nn.Module, input_shape: tuple[int, int, int], *, batch: int | None = 1) -> bytes:
    """ONNX bytes of the network in eval mode; batch None leaves the batch size open.

    The TorchScript exporter is used on purpose: half a second a network against five for the torch.export one
    (docs/log.md), and its node names carry the module path, from which per-layer latency shares are read.
    """
    training = network.training
    network.eval()
    example = torch.zeros(batch or 1, *input_shape)
    buffer: Any = io.BytesIO()
    axes = {"images": {0: "N"}, "logits": {0: "N"}} if batch is None else None
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (example,),
            buffer,
            dynamo=False,
            opset_version=18,
            input_names=["images"],
            output_names=["logits"],
            dynamic_axes=axes,
        )
    network.train(training)
    model: bytes = buffer.getvalue()
    return model


def with_metadata(model: bytes, values: Mapping[str, object]) -> bytes:
    """The same model carrying `surgenas.<name>` properties as JSON (mean, std, class names)."""
    proto = onnx.load_from_string(model)
    onnx.helper.set_model_props(proto, {f"surgenas.{name}": json.dumps(value) for name, value in values.items()})
    return proto.SerializeToString()
