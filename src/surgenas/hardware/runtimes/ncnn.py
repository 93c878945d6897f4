"""ncnn (extra: ncnn): what many applications on phones and boards ship; converted by pnnx from ONNX."""

from __future__ import annotations

import io
import os
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from surgenas.core.errors import EnvironmentFault, UsageError
from surgenas.core.native_output import native_output
from surgenas.hardware.runtimes import Images, Runtime, distribution_version

if TYPE_CHECKING:
    from torch import nn

PARTS = ("model.param", "model.bin")
"""The two files that ncnn reads a network from; our bytes are a zip archive of them, not compressed."""
UNUSED = ("pnnxparam", "pnnxbin", "pnnxpy", "pnnxonnx", "ncnnpy")
"""What pnnx also writes, and never to a place of our choice unless it is told where."""
WAITING = "OMP_WAIT_POLICY"


class Ncnn(Runtime):
    """ncnn on the CPU. In fp16, its own default, it keeps weights as halves; on ARM it also computes in them."""

    name = "ncnn"
    precisions = ("fp32", "fp16")
    suffixes = (".param", ".bin")
    takes_batches = False
    converters = ("pnnx",)
    own_process = True  # how threads wait is settled by the first OpenMP of a process, in ours that of torch

    @property
    def version(self) -> str:
        return distribution_version("ncnn", "ncnn")

    def missing_feature(self, precision: str) -> str:
        if precision == "fp32" or (ncnn := _ncnn()).cpu_support_x86_avx2() or ncnn.cpu_support_arm_vfpv4():
            return ""
        return "fp16 (AVX2, or VFPv4 on ARM)"  # it would silently compute in fp32

    def convert(self, network: nn.Module, input_shape: tuple[int, int, int], batch: int) -> bytes:
        from surgenas.hardware.onnx_file import to_onnx
        from surgenas.hardware.runtimes.channel_gathers import without_gathers
        from surgenas.hardware.runtimes.channel_slices import without_steps

        if batch > 1:
            raise UsageError(f"ncnn computes one image at a time, not {batch}; set batch = 1")
        self.check_converters()
        with tempfile.TemporaryDirectory() as folder:
            model = without_gathers(without_steps(to_onnx(network, input_shape)))
            Path(folder, "model.onnx").write_bytes(model)
            model = _pnnx(Path(folder))
        _load(model, 1, "fp32")  # a layer that ncnn does not have is a fault of the conversion
        return model

    def to_files(self, model: bytes) -> dict[str, bytes]:
        with zipfile.ZipFile(io.BytesIO(model)) as archive:
            return {suffix: archive.read(part) for suffix, part in zip(self.suffixes, PARTS, strict=True)}

    def from_files(self, files: Mapping[str, bytes]) -> bytes:
        return _archive(*(files[suffix] for suffix in self.suffixes))

    def prepare(self, model: bytes, images: Images, threads: int, precision: str) -> Callable[[], Images]:
        ncnn, net, (image_CHW,) = _ncnn(), _load(model, threads, precision), images
        source, sink = net.input_names()[0], net.output_names()[0]

        def call() -> Images:
            extractor = net.create_extractor()  # one that has computed ignores all further input
            extractor.input(source, ncnn.Mat(image_CHW).clone())  # a layer in place crashes on the memory of numpy
            code, logits = extractor.extract(sink)
            if code:
                raise RuntimeError(f"ncnn failed with {code}")
            return np.array(logits, np.float32)[np.newaxis]

        return call


def _ncnn() -> Any:
    """The package, whose idle threads sleep in a process without another OpenMP.

    They spin otherwise, 10 ms and more after each run, and disturb what is measured next. The variable is read when the
    library is loaded, and is no business of anybody else.
    """
    asked = os.environ.get(WAITING)
    os.environ[WAITING] = asked or "passive"
    try:
        import ncnn
    except ImportError as error:
        raise EnvironmentFault(f"ncnn cannot be imported ({error}); pip install 'surgenas[ncnn]'") from error
    finally:
        if asked is None:
            del os.environ[WAITING]
    return ncnn


def _pnnx(folder: Path) -> bytes:
    """Convert the model.onnx of a folder."""
    from pnnx import EXEC_PATH

    outputs = [f"{name}={os.devnull}" for name in UNUSED]
    command = [EXEC_PATH, "model.onnx", "fp16=0", f"ncnnparam={PARTS[0]}", f"ncnnbin={PARTS[1]}", *outputs]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
    if done.returncode or not all((folder / part).exists() for part in PARTS):
        last = (done.stdout + done.stderr).strip().splitlines()[-1:]
        raise RuntimeError(f"pnnx ended with {done.returncode}: {' '.join(last)}")
    return _archive(*((folder / part).read_bytes() for part in PARTS))


def _archive(*parts: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in zip(PARTS, parts, strict=True):
            archive.writestr(zipfile.ZipInfo(name), content)  # undated: equal networks, equal bytes
    return sink.getvalue()


def _load(model: bytes, threads: int, precision: str) -> Any:
    net = _ncnn().Net()
    net.opt.num_threads = threads  # all cores otherwise
    net.opt.use_fp16_storage = net.opt.use_fp16_packed = net.opt.use_fp16_arithmetic = precision == "fp16"
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(io.BytesIO(model)) as archive:
        param, weights = (archive.extract(part, folder) for part in PARTS)
        with native_output() as said:
            if net.load_param(param) or net.load_model(weights):  # from files, which it checks better than memory
                raise RuntimeError(f"ncnn cannot load it: {' '.join(said()[:1])}")
    return net
