"""OpenVINO on the CPU (extra: openvino), fp32, bf16 where the processor has it, int8 by NNCF."""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from surgenas.core.errors import EnvironmentFault
from surgenas.hardware.runtimes import Images, OnnxReader, a_run_ms, distribution_version, without_telemetry


class OpenVino(OnnxReader):
    """OpenVINO on the CPU: one stream, for latency, in fp32 unless asked otherwise.

    Threads are not pinned, since the cores are shared with others while we measure.
    """

    name = "openvino"
    precisions = ("fp32", "bf16", "int8")
    suffixes = (".xml", ".bin")

    @property
    def version(self) -> str:
        return distribution_version("openvino", "openvino")

    def missing_feature(self, precision: str) -> str:
        return "bf16 (avx512_bf16 or amx)" if precision == "bf16" and not _has_bf16() else ""

    def quantize(self, model: bytes, calibration: Images, spared: Collection[str] = ()) -> bytes:
        from surgenas.hardware.runtimes.quantization import nncf_int8

        return nncf_int8(model, calibration, spared)

    def to_files(self, model: bytes) -> dict[str, bytes]:
        """OpenVINO's own format, with all bits of the weights."""
        openvino = _openvino()
        network = openvino.Core().read_model(model)
        _name_by_place(network)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.xml"
            openvino.save_model(network, path, compress_to_fp16=False)
            return {suffix: path.with_suffix(suffix).read_bytes() for suffix in self.suffixes}

    def from_files(self, files: Mapping[str, bytes]) -> bytes:
        return files[".xml"] + _END_OF_XML + files[".bin"]

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
        took: list[tuple[str, float]] = []
        for _ in range(runs):
            request.infer([images])
            took += [(n.node_name, n.real_time.total_seconds() * 1e3) for n in request.profiling_info]
        times: dict[str, float] = defaultdict(float)
        for name, ms in a_run_ms(took, runs).items():
            times[_node_of_ours(name)] += ms
        return dict(times)


_END_OF_XML = b"\0"
"""Stands between the two files in what `prepare` takes: no XML holds this byte."""


def _name_by_place(network: Any) -> None:
    """Rename what OpenVINO has named by a counter of its process, so that a network is the same file each time."""
    for place, node in enumerate(network.get_ordered_ops()):
        if re.fullmatch(rf"{node.get_type_name()}_\d+", node.get_friendly_name()):
            node.set_friendly_name(f"{node.get_type_name()}_{place}")


def _openvino() -> Any:
    with without_telemetry():
        import openvino
    return openvino


def _has_bf16() -> bool:
    return "BF16" in _openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _compile(model: bytes, threads: int, precision: str, **more: Any) -> Any:
    core = _openvino().Core()
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",  # int8 is in the model itself
        "ENABLE_CPU_PINNING": False,
        **more,
    }
    xml, own_format, weights = model.partition(_END_OF_XML) if model.startswith(b"<?xml") else (model, b"", b"")
    return core.compile_model(core.read_model(xml, weights) if own_format else core.read_model(model), "CPU", settings)


def _node_of_ours(name: str) -> str:
    """The name of our node that a node of OpenVINO counts for.

    A layout change before a node is named '<tensor>_<from>_<to>_<node>', and counts for that node.
    """
    return name[name.index("/") :] if "/" in name else name
