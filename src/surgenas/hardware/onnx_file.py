"""How does a network leave PyTorch as ONNX, and how is an ONNX file of others read safely?"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
from google.protobuf.message import DecodeError
from onnx.external_data_helper import load_external_data_for_model, uses_external_data

from surgenas.core.errors import DataError, UsageError

if TYPE_CHECKING:  # who reads a file needs no torch
    from torch import nn


def to_onnx(network: nn.Module, input_shape: tuple[int, int, int], *, batch: int | None = 1) -> bytes:
    """The ONNX bytes of a network in eval mode, for images of (C, H, W); batch None leaves the batch size open.

    The TorchScript exporter is used on purpose: half a second a network against five for the torch.export one
    (docs/log.md), and its node names carry the module path, from which per-layer latency shares are read.
    """
    import torch

    modes = {module: module.training for module in network.modules()}
    network.eval()
    example = torch.zeros(batch or 1, *input_shape)
    buffer: Any = io.BytesIO()
    axes = {"images": {0: "N"}, "logits": {0: "N"}} if batch is None else None
    try:
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
    finally:
        for module, training in modes.items():
            module.training = training
    model: bytes = buffer.getvalue()
    return model


def add_metadata(model: bytes, values: Mapping[str, object]) -> bytes:
    """A copy of a model (ONNX bytes) that carries each value as a property `surgenas.<name>` in JSON."""
    proto = onnx.load_from_string(model)
    onnx.helper.set_model_props(proto, {f"surgenas.{name}": json.dumps(value) for name, value in values.items()})
    return proto.SerializeToString()


def read_onnx(path: Path) -> onnx.ModelProto:
    """Read a model from a file that anybody may have sent. Its weights may lie inside it or beside it, not elsewhere.

    Raises UsageError for a file that cannot be read, DataError for one that is no usable model.
    """
    try:
        model = onnx.load(str(path), format="protobuf", load_external_data=False)
        folder = path.resolve().parent
        for tensor in filter(uses_external_data, model.graph.initializer):
            place = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
            if not (folder / place).resolve().is_relative_to(folder):
                raise DataError(f"{path}: refused, its weights point outside its folder ({place!r})")
        load_external_data_for_model(model, str(folder))
        onnx.checker.check_model(model)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}; expected an ONNX file") from error
    except (DecodeError, onnx.checker.ValidationError, ValueError) as error:
        raise DataError(f"{path}: not a usable ONNX model ({str(error).splitlines()[0]})") from error
    return model


def run_unoptimised(model: bytes, images: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """The output (N, classes) of a model for images in the shape and type that it asks for, computed without
    optimisations.

    Raises DataError if the model cannot be run, or computes NaN or infinity.
    """
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        output = np.asarray(session.run(None, {session.get_inputs()[0].name: images})[0], np.float32)
    except Exception as error:  # ONNX Runtime has no common base for what it raises
        raise DataError(f"ONNX Runtime cannot run this model ({str(error).splitlines()[0]})") from error
    if not np.isfinite(output).all():
        raise DataError("the model computes values that are not numbers (NaN or infinity)")
    return output
