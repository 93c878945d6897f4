"""How do ONNX bytes in fp32 become ONNX bytes in int8? By the runtimes' own tools, with ranges from images."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import onnx

from surgenas.hardware.runtimes import Images, distribution_version, silence_output, without_telemetry


def static_int8(model: bytes, calibration: Images, spared: Collection[str] = ()) -> bytes:
    """Quantize ONNX bytes by ONNX Runtime: pairs of quantize and dequantize, weights per channel.

    calibration: the images (N, C, H, W) that say the ranges. spared: names of nodes that stay as they are.
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    name, batches = _batches(model, calibration)

    class Reader(CalibrationDataReader):
        def get_next(self) -> dict[str, Images] | None:
            batch = next(batches, None)
            return None if batch is None else {name: batch}

    with tempfile.TemporaryDirectory() as folder, silence_output():
        source, target = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        quant_pre_process(onnx.load_from_string(model), source)
        quantize_static(
            source, target, Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            # without VNNI, 8-bit products of 8-bit weights overflow their 16-bit sums; 7 bits cannot
            reduce_range=True, nodes_to_exclude=sorted(spared),
        )  # fmt: skip
        return target.read_bytes()


def nncf_int8(model: bytes, calibration: Images, spared: Collection[str] = ()) -> bytes:
    """Quantize ONNX bytes by NNCF, for OpenVINO. calibration: the images (N, C, H, W) that say the ranges. spared:
    names of nodes that stay as they are."""
    distribution_version("nncf", "openvino")
    with silence_output(), without_telemetry():
        import nncf

        name, batches = _batches(model, calibration)
        # as above: 7-bit weights; NNCF's default guards the first layer only (docs/log.md)
        advanced = nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.ENABLE)
        dataset = nncf.Dataset([{name: batch} for batch in batches])
        found = nncf.quantize(
            onnx.load_from_string(model), dataset, subset_size=len(calibration), advanced_parameters=advanced,
            ignored_scope=nncf.IgnoredScope(names=sorted(spared)) if spared else None,
        )  # fmt: skip
    return bytes(found.SerializeToString())


def _batches(model: bytes, calibration: Images) -> tuple[str, Iterator[Images]]:
    """(name of the model's input, the images in batches of the model's size); a last short batch is filled up."""
    value = onnx.load_from_string(model).graph.input[0]
    N = value.type.tensor_type.shape.dim[0].dim_value
    whole = -(-len(calibration) // N) * N
    images = np.resize(calibration, (whole, *calibration.shape[1:]))
    return value.name, (images[i : i + N] for i in range(0, whole, N))
