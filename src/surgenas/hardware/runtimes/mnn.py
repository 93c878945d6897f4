"""MNN (extra: mnn): Alibaba's runtime for phones; converted by its own converter from ONNX."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from surgenas.core.errors import EnvironmentFault
from surgenas.core.native_output import native_output
from surgenas.hardware.runtimes import Images, Runtime, distribution_version

if TYPE_CHECKING:
    from torch import nn


class Mnn(Runtime):
    """MNN on the CPU."""

    name = "mnn"
    suffixes = (".mnn",)

    @property
    def version(self) -> str:
        return distribution_version("MNN", "mnn")

    def convert(self, network: nn.Module, input_shape: tuple[int, int, int], batch: int) -> bytes:
        from surgenas.hardware.onnx_file import to_onnx

        distribution_version("MNN", "mnn")
        with tempfile.TemporaryDirectory() as folder, native_output() as said:
            from _tools import mnnconvert  # MNN.tools.mnnconvert starts pip, to report what was converted

            source, target = Path(folder, "model.onnx"), Path(folder, "model.mnn")
            source.write_bytes(to_onnx(network, input_shape, batch=batch))
            files = ("--modelFile", str(source), "--MNNModel", str(target))
            mnnconvert(["mnnconvert", "-f", "ONNX", *files, "--bizCode", "surgenas"])
            if not target.exists():  # it says True in either case
                reasons = (re.sub(r"^\[.*?\] :\d+: ", "", line) for line in said()[-2:])  # less its time and place
                raise RuntimeError(f"MNN: {' '.join(reasons)}")
            return target.read_bytes()

    def prepare(self, model: bytes, images: Images, threads: int, precision: str) -> Callable[[], Images]:
        with tempfile.TemporaryDirectory() as folder, native_output():
            try:
                import MNN
            except ImportError as error:
                raise EnvironmentFault(f"MNN cannot be imported ({error}); pip install 'surgenas[mnn]'") from error
            path = Path(folder, "model.mnn")
            path.write_bytes(model)
            interpreter = MNN.Interpreter(str(path))
            session = interpreter.createSession({"backend": "CPU", "numThread": threads, "precision": "high"})
        source, sink = interpreter.getSessionInput(session), interpreter.getSessionOutput(session)

        def host_tensor(values: Images) -> MNN.Tensor:
            return MNN.Tensor(values.shape, MNN.Halide_Type_Float, values, MNN.Tensor_DimensionType_Caffe)

        logits = host_tensor(np.zeros(sink.getShape(), np.float32))

        def call() -> Images:
            source.copyFrom(host_tensor(images))  # anew in each run: layers overwrite the input, a tensor is a copy
            interpreter.runSession(session)
            sink.copyToHostTensor(logits)
            return logits.getNumpyData().copy()  # getData makes a tuple: 60 us for a thousand classes

        return call
