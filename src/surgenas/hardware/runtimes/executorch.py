"""ExecuTorch with XNNPACK (extra: executorch): PyTorch's own runtime for phones and boards."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from surgenas.hardware.runtimes import Images, Runtime, distribution_version, silence_output

if TYPE_CHECKING:
    from torch import nn


class ExecuTorch(Runtime):
    """ExecuTorch on the CPU: what XNNPACK takes is delegated to it, the rest runs on portable kernels."""

    name = "executorch"
    suffixes = (".pte",)
    own_process = True  # one thread pool a process

    @property
    def version(self) -> str:
        return distribution_version("executorch", "executorch")

    def convert(self, network: nn.Module, input_shape: tuple[int, int, int], batch: int) -> bytes:
        import torch

        with silence_output(), torch.no_grad():
            from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
            from executorch.exir import to_edge_transform_and_lower

            program = torch.export.export(network, (torch.zeros(batch, *input_shape),))
            lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
            return bytes(lowered.to_executorch().buffer)

    def prepare(self, model: bytes, images: Images, threads: int, precision: str) -> Callable[[], Images]:
        import torch
        from executorch.extension.pybindings.portable_lib import _threadpool_get_thread_count, _unsafe_reset_threadpool
        from executorch.runtime import Runtime as Program

        if _threadpool_get_thread_count() != threads:  # not under a network that is already loaded
            _unsafe_reset_threadpool(threads)
        program = Program.get().load_program(model)
        method = program.load_method("forward")
        inputs = [torch.from_numpy(images)]

        def call() -> Images:
            found: Images = method.execute(inputs)[0].numpy()
            return found

        return call
