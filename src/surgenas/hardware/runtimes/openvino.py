"""OpenVINO on the CPU (extra: openvino)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from surgenas.hardware.runtimes import Images, distribution_version


class OpenVino:
    """One stream, latency hint, fp32 unless asked otherwise; threads are not pinned, since ours are measured shared."""

    name = "openvino"

    @property
    def version(self) -> str:
        return distribution_version("openvino", "openvino")

    def prepare(self, model: bytes, images: Images, threads: int) -> Callable[[], Images]:
        request = _compiled(model, threads).create_infer_request()

        def call() -> Images:
            found: Images = request.infer([images], share_inputs=True, share_outputs=True)[0]
            return found

        return call

    def layer_times_ms(self, model: bytes, images: Images, threads: int, runs: int) -> dict[str, float]:
        request = _compiled(model, threads, PERF_COUNT=True).create_infer_request()
        times: dict[str, float] = defaultdict(float)
        for _ in range(runs):
            request.infer([images])
            for node in request.profiling_info:
                times[_node_of_ours(node.node_name)] += node.real_time.total_seconds() * 1e3 / runs
        return dict(times)


def _compiled(model: bytes, threads: int, **more: Any) -> Any:
    import openvino

    core = openvino.Core()
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "ENABLE_CPU_PINNING": False,
        **more,
    }
    return core.compile_model(core.read_model(model), "CPU", settings)


def _node_of_ours(name: str) -> str:
    """A layout change before a node is named '<tensor>_<from>_<to>_<node>': it is charged to the node."""
    return name[name.index("/") :] if "/" in name else name
