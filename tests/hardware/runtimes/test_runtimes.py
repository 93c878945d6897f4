"""What every runtime promises, on each that is installed: the same function, of the images as they are at each call."""

from __future__ import annotations

import logging
import sys
import warnings
from importlib import metadata

import numpy as np
import pytest
import torch
from torch import nn

from surgenas.core.catalog import look_up
from surgenas.core.errors import EnvironmentFault
from surgenas.hardware import RUNTIMES
from surgenas.hardware.onnx_file import to_onnx
from surgenas.hardware.runtimes import distribution_version, silence_output
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


@pytest.mark.parametrize(
    ("name", "extra"),
    [("litert", "litert"), ("executorch", "executorch"), ("openvino", "openvino"), ("pytorch", "pytorch")],
)
def test_one_that_is_not_installed_names_its_extra(monkeypatch, name, extra):
    def nothing(distribution):
        raise metadata.PackageNotFoundError(distribution)

    monkeypatch.setattr(metadata, "version", nothing)
    with pytest.raises(EnvironmentFault, match=rf"is not installed; pip install 'surgenas\[{extra}\]'"):
        _ = look_up("runtime", name, RUNTIMES)().version


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
