"""OpenVINO on the CPU (extra: openvino), fp32, bf16 where the processor has it, int8 by NNCF."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from surgenas.core.errors import EnvironmentFault
from surgenas.hardware.runtimes import Images, OnnxReader, distribution_version


class OpenVino(OnnxReader):
    """OpenVINO on the CPU: one stream, for latency, in fp32 unless asked otherwise.

    Threads are not pinned, since the cores are shared with others while we measure.
    """

    name = "openvino"
    precisions = ("fp32", "bf16", "int8")

    @property
    def version(self) -> str:
        return distribution_version("openvino", "openvino")

    def missing_feature(self, precision: str) -> str:
        return "bf16 (avx512_bf16 or amx)" if precision == "bf16" and not _has_bf16() else ""

    def quantize(self, model: bytes, calibration: Images) -> bytes:
        from surgenas.hardware.runtimes.quantization import nncf_int8

        return nncf_int8(model, calibration)

    def prepare(self, model: bytes, images: Images, threads: int, precision: str) -> Callable[[], Images]:
        if self.missing_feature(precision):  # OpenVINO would silently compute in fp32
            raise EnvironmentFault(f"this processor has no {self.missing_feature(precision)}")
        request = _compile(model, threads, precision).create_infer_request()

        def call() -> Images:
            found: Images = request.infer([images], share_inputs=True, share_outputs=True)[0]
            return found

        return call

    def layer_times_ms(self, model: bytes, images: Images, threads: int, precision: str, runs: int) -> dict[str, float]:
        request = _compile(model, threads, precision, PERF_COUNT=True).create_infer_request()
        times: dict[str, float] = defaultdict(float)
        for _ in range(runs):
            request.infer([images])
            for node in request.profiling_info:
                times[_node_of_ours(node.node_name)] += node.real_time.total_seconds() * 1e3 / runs
        return dict(times)


def _has_bf16() -> bool:
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _compile(model: bytes, threads: int, precision: str, **more: Any) -> Any:
    import openvino

    core = openvino.Core()
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",  # int8 is in the model itself
        "ENABLE_CPU_PINNING": False,
        **more,
    }
    return core.compile_model(core.read_model(model), "CPU", settings)


def _node_of_ours(name: str) -> str:
    """The name of our node that a node of OpenVINO counts for.

    A layout change before a node is named '<tensor>_<from>_<to>_<node>', and counts for that node.
    """
    return name[name.index("/") :] if "/" in name else name
