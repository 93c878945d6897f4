"""ncnn, where it is installed: one image at a time, into memory of its own, and what it cannot do in one line."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from surgenas.core.errors import DataError, EnvironmentFault
from surgenas.hardware.runtimes.ncnn import Ncnn
from surgenas.hardware.target import Job
from surgenas.hardware.timed.conversion import convert_for

SHAPE = (3, 9, 9)


@pytest.fixture
def image():
    return np.random.default_rng(0).standard_normal((1, *SHAPE), dtype=np.float32)


@pytest.fixture(scope="module")
def model():
    return Ncnn().convert(network(nn.Conv2d(3, 3, 3, padding=1)), SHAPE, 1)


def network(first):
    needs_ncnn()
    torch.manual_seed(0)
    return nn.Sequential(first, nn.Flatten(), nn.Linear(243, 5)).eval()


def needs_ncnn():
    for part in ("ncnn", "pnnx"):
        pytest.importorskip(part, reason="ncnn and pnnx are not installed; pip install 'surgenas[ncnn]'")


def with_parts(model, **others):
    """The model with other contents of some of its parts."""
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(model)) as old, zipfile.ZipFile(sink, "w") as new:
        for name in old.namelist():
            new.writestr(name, others.get(name.removeprefix("model."), old.read(name)))
    return sink.getvalue()


def test_one_that_cannot_be_imported_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ncnn", None)
    with pytest.raises(EnvironmentFault, match=r"ncnn cannot be imported .*pip install 'surgenas\[ncnn\]'"):
        Ncnn().prepare(b"", np.zeros((1, *SHAPE), np.float32), 1, "fp32")


def test_it_asks_for_a_process_of_its_own_and_changes_nothing_of_ours(model, image, monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert Ncnn().own_process
    Ncnn().prepare(model, image, 1, "fp32")
    assert "OMP_WAIT_POLICY" not in os.environ, "other runtimes would wait in another way"


def test_a_model_is_its_own_two_files_and_equal_networks_are_equal(model):
    with zipfile.ZipFile(io.BytesIO(model)) as archive:
        assert archive.namelist() == ["model.param", "model.bin"]
        assert archive.read("model.param").startswith(b"7767517\n")
    assert Ncnn().convert(network(nn.Conv2d(3, 3, 3, padding=1)), SHAPE, 1) == model


def test_a_first_layer_that_works_in_place_leaves_our_image_alone(image):
    """On memory of numpy it took the process down."""
    module, before = network(nn.ReLU()), image.copy()
    call = Ncnn().prepare(Ncnn().convert(module, SHAPE, 1), image, 1, "fp32")
    for _ in range(2):
        with torch.no_grad():
            assert np.allclose(call(), module(torch.from_numpy(image)).numpy(), atol=1e-5)
    assert np.array_equal(image, before)


def test_fp16_computes_nearly_the_same_and_not_the_same(model, image):
    if missing := Ncnn().missing_feature("fp16"):
        pytest.skip(f"this processor has no {missing}")
    right, found = (Ncnn().prepare(model, image, 1, precision)() for precision in ("fp32", "fp16"))
    assert 1e-6 < np.abs(found - right).max() / np.abs(right).max() < 0.02


def test_two_images_are_refused_where_they_are_to_be_computed_too(model):
    with pytest.raises(ValueError, match="too many values"):
        Ncnn().prepare(model, np.zeros((2, *SHAPE), np.float32), 1, "fp32")


class Unknown(nn.Module):
    def forward(self, x_NCHW):
        return x_NCHW.masked_fill(torch.isnan(x_NCHW), 0.0)


class Sorted(nn.Module):
    def forward(self, x_NCHW):
        return x_NCHW.sort(-1).values


@pytest.mark.parametrize(
    ("layer", "why"),
    [(Unknown(), "ncnn cannot load it: layer IsNaN not exists or registered"), (Sorted(), "pnnx ended with -11: .*")],
)
def test_a_layer_that_it_does_not_have_is_one_line(layer, why, capfd):
    module = network(layer)
    with pytest.raises(DataError, match=rf"^odd cannot .*be exported \({why}\)$") as caught:
        convert_for(Ncnn(), Job("odd", lambda: module, SHAPE), 1, "fp32")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("broken", [{"param": b"nonsense"}, {"param": b""}, {"bin": b""}, {"bin": b"1" * 99}])
def test_a_model_that_is_cut_short_or_none_is_refused_and_not_run(model, image, broken, capfd):
    with pytest.raises(RuntimeError, match=r"ncnn cannot load it: .+"):
        Ncnn().prepare(with_parts(model, **broken), image, 1, "fp32")
    assert capfd.readouterr() == ("", "")


THREADS = """
import os, sys, numpy as np
from surgenas.hardware.runtimes.ncnn import Ncnn
images = np.zeros((1, 3, 9, 9), np.float32)
before = len(os.listdir("/proc/self/task"))
Ncnn().prepare(sys.stdin.buffer.read(), images, int(sys.argv[1]), "fp32")()
print(len(os.listdir("/proc/self/task")) - before, "torch" in sys.modules)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts the threads in /proc")
@pytest.mark.parametrize("threads", [1, 2])
def test_it_has_as_many_threads_as_asked_whatever_the_cores_and_needs_no_torch(model, threads):
    command = [sys.executable, "-c", THREADS, str(threads)]
    done = subprocess.run(command, input=model, capture_output=True, check=True)
    assert done.stdout.decode().split() == [str(threads - 1), "False"]
