"""A runtime from outside: ONNX Runtime without the optimisations that depend on the processor, to see what they bring.

    PYTHONPATH=examples surgenas measure arch.json --device examples/my_runtime.toml

One class is all that surgenas needs of it; docs/how_to/add_a_runtime.md says why each part is there.
"""

from __future__ import annotations

from collections.abc import Callable

import onnxruntime as ort

from surgenas.hardware.runtimes import Images, OnnxReader


class MyRuntime(OnnxReader):
    """It reads ONNX, so `convert` is there already. Nothing here needs torch: a small machine has none."""

    name = "my_runtime"

    @property
    def version(self) -> str:
        return str(ort.__version__)

    def prepare(self, model: bytes, images: Images, threads: int, precision: str) -> Callable[[], Images]:
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        feed = {session.get_inputs()[0].name: images}  # the array itself: each call reads the images anew
        return lambda: session.run(None, feed)[0]
