"""PyTorch itself, op by op (eager) or compiled: no extra to install, and what everything else must beat."""

from __future__ import annotations

import ctypes
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from surgenas.core.errors import EnvironmentFault, SurgenasError
from surgenas.hardware.runtimes import Images, Runtime, distribution_version, silence_output

if TYPE_CHECKING:
    from torch import nn
    from torch.export import ExportedProgram


_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of malloc.h


class PyTorch(Runtime):
    """The exported graph, op by op; it takes as long as the module itself within 3 % (docs/log.md)."""

    name = "pytorch"
    suffixes = (".pt2",)
    own_process = True  # torch.set_num_threads, mallopt

    @property
    def version(self) -> str:
        return distribution_version("torch", "pytorch")

    def convert(self, network: nn.Module, input_shape: tuple[int, int, int], batch: int) -> bytes:
        import torch

        sink = io.BytesIO()
        with silence_output(), torch.no_grad():
            torch.export.save(torch.export.export(network, (torch.zeros(batch, *input_shape),)), sink)
        return sink.getvalue()

    def prepare(self, model: bytes, images: Images, threads: int, precision: str) -> Callable[[], Images]:
        import torch

        torch.set_num_threads(threads)
        _keep_freed_memory()
        call = self._make_callable(load_program(model).module())
        source = torch.from_numpy(images)

        def run() -> Images:
            with torch.inference_mode():
                found: Images = call(source).numpy()
                return found

        run()  # compiled on its first call, if at all
        return run

    def _make_callable(self, graph: nn.Module) -> Callable[..., Any]:
        return graph


class TorchCompile(PyTorch):
    """The exported graph through torch.compile (inductor, a C++ compiler)."""

    name = "torch-compile"

    @property
    def version(self) -> str:
        if not any(map(shutil.which, ("g++", "c++", "clang++"))):
            raise EnvironmentFault("torch.compile needs a C++ compiler; install g++")
        return super().version

    def _make_callable(self, graph: nn.Module) -> Callable[..., Any]:
        import torch

        compiled: Callable[..., Any] = torch.compile(graph)
        return compiled


def _keep_freed_memory() -> None:
    """Make glibc keep freed memory instead of returning it to the kernel; other C libraries are left alone.

    PyTorch takes and frees memory in every layer, and glibc returns it or keeps it by what the process did before: page
    faults cost a network nothing in one process and 40 % in the next (docs/log.md). The allocators that PyTorch's
    tuning guide advises keep it as well.
    """
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_TRIM_THRESHOLD, 1 << 30)
        libc.mallopt(_MMAP_THRESHOLD, 1 << 25)  # the most it takes


def load_program(model: bytes) -> ExportedProgram:
    """The exported program in these bytes.

    The format can carry pickles, which torch's loader would run: raises SurgenasError for them beforehand.
    """
    import torch

    with zipfile.ZipFile(io.BytesIO(model)) as archive:
        for name in archive.namelist():
            if name.endswith("_config.json") and _has_pickles(json.loads(archive.read(name))):
                raise SurgenasError("refused: an exported program with pickled constants")
            if "/sample_inputs/" in name:  # read again by the loader, which trusts it if it must
                try:
                    torch.load(io.BytesIO(archive.read(name)), weights_only=True)
                except UnpicklingError as error:
                    raise SurgenasError("refused: an exported program with pickled inputs") from error
    with silence_output():
        return torch.export.load(io.BytesIO(model))


def _has_pickles(config: dict[str, Any]) -> bool:
    """Whether a config of an exported program lists weights or constants that are pickled, or not named as tensors."""
    entries = config.get("config", {}).values()
    return any(e.get("use_pickle") or not e["path_name"].startswith(("weight_", "tensor_")) for e in entries)
