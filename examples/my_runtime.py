"""A runtime from outside: PyTorch with the channels of an image next to each other in memory (NHWC).

    PYTHONPATH=examples surgenas measure arch.json --device examples/my_runtime.toml

One class is all that surgenas needs of it; docs/how_to/add_a_runtime.md says why each part is there.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import torch
from torch import nn

from surgenas.hardware.runtimes import Images, Runtime, silence_output
from surgenas.hardware.runtimes.pytorch import load_program


class MyRuntime(Runtime):
    """The exported program of a network, run as PyTorch runs it; only the order of the values in memory differs."""

    name = "my_runtime"
    own_process = True  # torch.set_num_threads changes the whole process

    @property
    def version(self) -> str:
        return torch.__version__

    def convert(self, network: nn.Module, input_shape: tuple[int, int, int], batch: int) -> bytes:
        example = torch.zeros(batch, *input_shape)
        sink = io.BytesIO()
        with silence_output(), torch.no_grad():
            torch.export.save(torch.export.export(network, (example,)), sink)
        return sink.getvalue()

    def prepare(self, model: bytes, images: Images, threads: int, precision: str) -> Callable[[], Images]:
        torch.set_num_threads(threads)
        network = load_program(model).module().to(memory_format=torch.channels_last)
        source = torch.from_numpy(images)  # shares its memory, so that each call reads the images anew

        def run() -> Images:
            with torch.inference_mode():
                found: Images = network(source.contiguous(memory_format=torch.channels_last)).numpy()
                return found

        return run
