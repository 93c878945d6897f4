"""LiteRT with XNNPACK (extra: litert): what Android applications ship; converted by litert-torch."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from surgenas.core.errors import EnvironmentFault
from surgenas.hardware.runtimes import Images, Runtime, distribution_version, silence_output

if TYPE_CHECKING:
    from torch import nn


class LiteRT(Runtime):
    """LiteRT on the CPU, which delegates to XNNPACK by default."""

    name = "litert"
    suffixes = (".tflite",)
    converters = ("litert-torch",)

    @property
    def version(self) -> str:
        return distribution_version("ai-edge-litert", "litert")

    def convert(self, network: nn.Module, input_shape: tuple[int, int, int], batch: int) -> bytes:
        import torch

        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        self.check_converters()
        with silence_output():
            import litert_torch

            found: bytes = litert_torch.convert(network, (torch.zeros(batch, *input_shape),)).model_content()
        return found

    def prepare(self, model: bytes, images: Images, threads: int, precision: str) -> Callable[[], Images]:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise EnvironmentFault(f"LiteRT cannot be imported ({error}); pip install 'surgenas[litert]'") from error
        interpreter = Interpreter(model_content=model, num_threads=threads)
        interpreter.allocate_tensors()
        source = interpreter.get_input_details()[0]["index"]
        sink = interpreter.get_output_details()[0]["index"]

        def call() -> Images:
            interpreter.set_tensor(source, images)
            interpreter.invoke()
            found: Images = interpreter.get_tensor(sink)
            return found

        return call
