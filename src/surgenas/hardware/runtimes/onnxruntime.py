"""ONNX Runtime: on the CPU in fp32 or statically quantized to int8; on an NVIDIA GPU through CUDA or TensorRT."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

import onnxruntime as ort

from surgenas.core.errors import EnvironmentFault
from surgenas.hardware.context import gpu_name
from surgenas.hardware.runtimes import Images, OnnxReader, a_run_ms

OPEN_BATCH = "N"
"""What our own ONNX files call a batch size that they leave open (hardware.onnx_file)."""


class OnnxRuntime(OnnxReader):
    """ONNX Runtime on the CPU, sequential, without spinning threads, which would disturb their neighbours."""

    name = "onnxruntime"
    open_batch = True
    precisions: tuple[str, ...] = ("fp32", "int8")
    provider = "CPUExecutionProvider"

    @property
    def version(self) -> str:
        return str(ort.__version__)

    def quantize(self, model: bytes, calibration: Images, spared: Collection[str] = ()) -> bytes:
        from surgenas.hardware.runtimes.quantization import static_int8

        return static_int8(model, calibration, spared)

    def prepare(self, model: bytes, images: Images, threads: int, precision: str) -> Callable[[], Images]:
        session = self._session(model, _options(threads, len(images)))
        feed = {session.get_inputs()[0].name: images}
        return lambda: session.run(None, feed)[0]

    def layer_times_ms(self, model: bytes, images: Images, threads: int, precision: str, runs: int) -> dict[str, float]:
        with tempfile.TemporaryDirectory() as folder:
            options = _options(threads, len(images))
            options.enable_profiling = True
            options.profile_file_prefix = str(Path(folder) / "profile")
            session = self._session(model, options)
            for _ in range(runs):
                session.run(None, {session.get_inputs()[0].name: images})
            events = json.loads(Path(session.end_profiling()).read_text())
        took = [
            (event["name"].removesuffix("_kernel_time"), event["dur"] / 1e3)
            for event in events
            if event.get("cat") == "Node" and event["name"].endswith("_kernel_time")
        ]
        return a_run_ms(took, runs)

    def _session(self, model: bytes, options: ort.SessionOptions) -> ort.InferenceSession:
        return ort.InferenceSession(model, options, providers=[self.provider])


class OnnxRuntimeCuda(OnnxRuntime):
    """ONNX Runtime with the CUDA execution provider. The image travels to the GPU and the logits back in every run, as
    they do in use."""

    name = "onnxruntime-cuda"
    precisions = ("fp32",)
    provider = "CUDAExecutionProvider"

    @property
    def version(self) -> str:
        if self.provider not in ort.get_available_providers() or not gpu_name():
            raise EnvironmentFault(
                f"needs an NVIDIA GPU, and {self.provider}: pip uninstall onnxruntime, pip install onnxruntime-gpu"
            )
        return f"{super().version} on {gpu_name()}"

    def _session(self, model: bytes, options: ort.SessionOptions) -> ort.InferenceSession:
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")  # never the CPU in disguise
        os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")  # true fp32; read when the libraries are loaded
        ort.preload_dlls()  # CUDA and cuDNN where pip has put them
        return super()._session(model, options)


class OnnxRuntimeTensorRT(OnnxRuntimeCuda):
    """ONNX Runtime with the TensorRT execution provider."""

    name = "onnxruntime-tensorrt"
    provider = "TensorrtExecutionProvider"


def _options(threads: int, batch: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.add_free_dimension_override_by_name(OPEN_BATCH, batch)  # shapes are folded as in a model of that batch size
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
