"""PyTorch on an NVIDIA GPU: op by op, compiled, or recorded once and replayed as a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from surgenas.core.errors import EnvironmentFault
from surgenas.hardware.context import gpu_name
from surgenas.hardware.runtimes import Images
from surgenas.hardware.runtimes.pytorch import PyTorch, load_program

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Forward = Callable[["Tensor"], "Tensor"]


class PyTorchCuda(PyTorch):
    """The exported graph on the GPU, op by op. The image travels to the GPU and the logits back in every run, as they
    do in use; waiting for the logits is waiting for the GPU. Convolutions in true fp32, not TF32."""

    name = "pytorch-cuda"

    @property
    def version(self) -> str:
        if not gpu_name():
            raise EnvironmentFault("needs an NVIDIA GPU and its driver; there is none here")
        return f"{super().version} on {gpu_name()}"

    def prepare(self, model: bytes, images: Images, threads: int, precision: str) -> Callable[[], Images]:
        import torch
        from torch.export.passes import move_to_device_pass

        torch.set_num_threads(threads)
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        source = torch.from_numpy(images)
        resident = source.cuda()
        with torch.inference_mode():
            forward = self._make_forward(move_to_device_pass(load_program(model), "cuda").module(), resident)

            answer = torch.empty_like(forward(resident), device="cpu", pin_memory=True)

        def run() -> Images:
            with torch.inference_mode():
                resident.copy_(source)
                answer.copy_(forward(resident), non_blocking=True)
            self._end_event.record()  # behind the copy on the stream, before the host sleeps
            self._end_event.synchronize()
            found: Images = answer.numpy()
            return found

        run()
        return run

    @cached_property
    def _end_event(self) -> torch.cuda.Event:
        import torch

        return torch.cuda.Event(enable_timing=True)

    def timer(self) -> Callable[[Callable[[], object]], float]:
        """A timer between two events on the stream, since the host's clock would count its waking up as well."""
        import torch

        start = torch.cuda.Event(enable_timing=True)

        def time_ms(call: Callable[[], object]) -> float:
            start.record()
            call()
            return start.elapsed_time(self._end_event)

        return time_ms

    def _make_forward(self, graph: nn.Module, resident: Tensor) -> Forward:
        return graph


class TorchCompileCuda(PyTorchCuda):
    """The exported graph on the GPU, through torch.compile (inductor)."""

    name = "torch-compile-cuda"

    def _make_forward(self, graph: nn.Module, resident: Tensor) -> Forward:
        import torch

        return torch.compile(graph)


class CudaGraph(PyTorchCuda):
    """The network as one CUDA graph: operators are not launched one by one, which small networks mostly wait for."""

    name = "cuda-graph"

    def _make_forward(self, graph: nn.Module, resident: Tensor) -> Forward:
        import torch

        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())  # the image is on its way
        with torch.cuda.stream(aside):  # kernels are chosen before the recording, not in it
            for _ in range(3):
                graph(resident)
        torch.cuda.current_stream().wait_stream(aside)
        recording = torch.cuda.CUDAGraph()
        with torch.cuda.graph(recording):
            logits: Tensor = graph(resident)

        def replay(_: Tensor) -> Tensor:
            recording.replay()
            return logits

        return replay
