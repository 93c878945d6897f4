"""What every runtime promises, on each that is installed: the same function, of the images as they are at each call."""

from __future__ import annotations

import logging
import sys
import warnings
from functools import partial
from importlib import metadata

import numpy as np
import pytest
import torch
from torch import nn

from surgenas.core.architecture import Architecture
from surgenas.core.catalog import look_up
from surgenas.core.errors import EnvironmentFault
from surgenas.hardware import RUNTIMES
from surgenas.hardware.onnx_file import to_onnx
from surgenas.hardware.runtimes import a_run_ms, distribution_version, silence_output
from surgenas.nn.statistics import settle_statistics
from surgenas.spaces.concat import Concat
from surgenas.spaces.fbnet import FBNet
from surgenas.spaces.mobile import Mobile
from surgenas.spaces.operators import Shuffle
from surgenas.spaces.single_path import SinglePathSE
from surgenas.testing import check_runtime

SHAPE = (3, 8, 8)


def marks(name):
    on_gpu = "cuda" in name or "tensorrt" in name
    return [pytest.mark.gpu] * on_gpu + [pytest.mark.slow] * (name in ("torch-compile", "litert", "executorch"))


EVERY = pytest.mark.parametrize("name", [pytest.param(name, marks=marks(name)) for name in RUNTIMES])


def installed(name):
    runtime = look_up("runtime", name, RUNTIMES)()
    try:
        assert runtime.version
    except EnvironmentFault as missing:
        pytest.skip(str(missing))
    return runtime


def network():
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(36, 5))
    return nn.Sequential(*layers).eval()


@EVERY
def test_it_keeps_the_contract_of_runtimes_under_its_name(name):
    runtime = installed(name)
    assert runtime.name == name
    check_runtime(runtime)


def test_those_that_read_onnx_run_files_that_others_made():
    module = network()
    images = np.ones((2, *SHAPE), np.float32)
    with torch.no_grad():
        expected = module(torch.from_numpy(images)).numpy()
    for name in ("onnxruntime", "openvino"):
        runtime = installed(name)
        assert runtime.takes_onnx
        found = runtime.prepare(to_onnx(module, SHAPE, batch=2), images, 1, "fp32")()
        assert np.allclose(found, expected, atol=1e-4)


class Mixed(nn.Module):
    """What slips through converters: a gate by Squeeze-and-Excitation, hard-swish, a depthwise 7x7 that halves the
    image, a channel shuffle, and a 1x1 in groups."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.Hardswish())
        self.deep = nn.Sequential(nn.Conv2d(16, 16, 7, stride=2, padding=3, groups=16), nn.BatchNorm2d(16))
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(16, 16, 1), nn.Hardsigmoid())
        self.groups, self.head = nn.Conv2d(16, 16, 1, groups=4), nn.Linear(16, 10)

    def forward(self, x_NCHW):
        x_NCHW = self.deep(self.stem(x_NCHW))
        N, C, H, W = (x_NCHW := x_NCHW * self.gate(x_NCHW)).shape
        x_NCHW = self.groups(x_NCHW.view(N, 4, C // 4, H, W).transpose(1, 2).reshape(N, C, H, W))
        return self.head(torch.cat([x_NCHW[:, 1::2], x_NCHW[:, 0::2]], 1).mean((2, 3)))


def of_space(space):
    """A network with each option of a space somewhere."""
    genes = tuple(choice.options[i % len(choice.options)] for i, choice in enumerate(space.choices))
    return space.build(Architecture(space.spec, genes))


SPACES = {"mobile": partial(Mobile, layout="small"), "shuffle": Shuffle, "single_path_se": SinglePathSE, "fbnet": FBNet,
          "concat": Concat}  # fmt: skip


@pytest.mark.parametrize(
    "network", ["mixed", "mobile", *(pytest.param(n, marks=pytest.mark.slow) for n in SPACES if n != "mobile")]
)
@pytest.mark.parametrize("name", ["ncnn", "mnn"])
def test_networks_of_our_spaces_compute_what_onnx_runtime_computes_of_each_image(name, network):
    """Each image in turn: both runtimes have a way of being called that gives the first answer again, or none."""
    runtime, shape = installed(name), (3, 32, 32)
    module = Mixed() if network == "mixed" else of_space(SPACES[network](resolution=32, classes=10))
    settle_statistics(module, shape)
    image = np.zeros((1, *shape), np.float32)
    right, call = (
        of.prepare(of.convert(module, shape, 1), image, 1, "fp32") for of in (installed("onnxruntime"), runtime)
    )
    for seed in range(3):
        image[:] = sent = np.random.default_rng(seed).standard_normal(image.shape, dtype=np.float32)
        expected = right()
        assert np.abs(call() - expected).max() < 2e-4 * np.abs(expected).max()
        assert np.array_equal(image, sent)


@pytest.mark.parametrize(
    ("name", "extra"),
    [(name, name) for name in ("litert", "executorch", "openvino", "pytorch", "ncnn", "mnn")],
)
def test_one_that_is_not_installed_names_its_extra(monkeypatch, name, extra):
    def nothing(distribution):
        raise metadata.PackageNotFoundError(distribution)

    monkeypatch.setattr(metadata, "version", nothing)
    with pytest.raises(EnvironmentFault, match=rf"is not installed; pip install 'surgenas\[{extra}\]'"):
        _ = look_up("runtime", name, RUNTIMES)().version


@pytest.mark.parametrize(("name", "converter"), [("litert", "litert-torch"), ("ncnn", "pnnx")])
def test_one_whose_converter_is_not_installed_names_both(monkeypatch, name, converter):
    known = {"litert": "ai-edge-litert", "ncnn": "ncnn"}

    def only_the_runtime(distribution):
        if distribution != known[name]:
            raise metadata.PackageNotFoundError(distribution)
        return "1"

    monkeypatch.setattr(metadata, "version", only_the_runtime)
    runtime = look_up("runtime", name, RUNTIMES)()
    assert runtime.version == "1", "files that were converted elsewhere can be measured"
    with pytest.raises(EnvironmentFault, match=rf"{converter} is not installed; pip install 'surgenas\[{name}\]'"):
        runtime.check_converters()


def test_a_version_is_that_of_the_package():
    assert distribution_version("numpy", "x") == np.__version__
    with pytest.raises(EnvironmentFault, match=r"pip install 'surgenas\[thing\]'"):
        distribution_version("no-such-distribution", "thing")


def test_a_converter_is_silent_within_and_everybody_is_heard_again_after(capsys, caplog):
    def talk():
        print("printed")  # noqa: T201  what is to be silenced
        print("complained", file=sys.stderr)  # noqa: T201
        logging.getLogger("converter").warning("logged")

    with silence_output():
        talk()
        warnings.warn("an error if it was heard", UserWarning, stacklevel=1)
    assert capsys.readouterr() == ("", "")
    assert caplog.messages == []
    with pytest.raises(ZeroDivisionError), silence_output():
        raise ZeroDivisionError
    talk()
    assert capsys.readouterr().out == "printed\n"
    assert caplog.messages == ["logged"]
    with pytest.warns(UserWarning, match="heard"):
        warnings.warn("heard", UserWarning, stacklevel=1)


def test_an_error_of_a_converter_is_heard_though_it_is_quiet(caplog):
    with silence_output():
        logging.getLogger("converter").error("it broke")
    assert caplog.messages == ["it broke"]


def test_a_profiled_run_is_the_median_one_whatever_interrupts_it():
    """Three runs, in each of which one name stands twice."""
    took = [
        ("a", 1.0),
        ("b", 2.0),
        ("b", 2.0),
        ("a", 900.0),
        ("b", 2.0),
        ("b", 2.0),
        ("a", 3.0),
        ("b", 2.0),
        ("b", 800.0),
    ]
    assert a_run_ms(took, 3) == {"a": 3.0, "b": 4.0}
