"""MNN, where it is installed: it says nothing, starts nothing, and reads the images anew."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from torch import nn

from surgenas.core.errors import DataError, EnvironmentFault
from surgenas.hardware.runtimes.mnn import Mnn
from surgenas.hardware.target import Job
from surgenas.hardware.timed.conversion import convert_for

SHAPE = (3, 9, 9)


class Unknown(nn.Module):
    def forward(self, x_NCHW):
        return x_NCHW.masked_fill(torch.isnan(x_NCHW), 0.0).mean((2, 3))


def needs_mnn():
    """Looked for and not imported, since it prints when it is."""
    if find_spec("MNN") is None:
        pytest.skip("MNN is not installed; pip install 'surgenas[mnn]'")


def test_one_that_cannot_be_imported_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "MNN", None)
    with pytest.raises(EnvironmentFault, match=r"MNN cannot be imported .*pip install 'surgenas\[mnn\]'"):
        Mnn().prepare(b"", np.zeros((1, *SHAPE), np.float32), 1, "fp32")


WATCHED = """
import os, sys, numpy as np
from torch import nn
from surgenas.hardware.runtimes.mnn import Mnn
import surgenas.hardware.onnx_file
seen = []
KINDS = ("subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "socket.", "urllib.")
def refuse(event, _):
    if event.startswith(KINDS):
        seen.append(event)
        raise RuntimeError(event)
sys.addaudithook(refuse)
network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(196, 5)).eval()
images, tasks = np.ones((1, 3, 9, 9), np.float32), lambda: len(os.listdir("/proc/self/task"))
model = Mnn().convert(network, (3, 9, 9), 1)
threads = [tasks()]
for asked in (1, 2):
    logits = Mnn().prepare(model, images, asked, "fp32")()
    threads.append(tasks())
print(logits.shape, np.diff(threads), seen, [name for name in sys.modules if name.startswith("MNN.tools")])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts the threads in /proc")
@pytest.mark.slow
def test_it_starts_the_threads_asked_for_and_no_program_and_says_nothing():
    """Its console tool has pip install a logger, to report what was converted; it prints even when it is imported."""
    needs_mnn()
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", WATCHED], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("(1, 5) [0 1] [] []\n", "")


def test_a_layer_that_it_does_not_have_is_one_line(capfd):
    needs_mnn()
    module = nn.Sequential(nn.Conv2d(3, 4, 3), Unknown()).eval()
    with pytest.raises(DataError, match=r"exported \(MNN: These Op Not Support: ONNX::IsNaN Converted Failed!\)$"):
        convert_for(Mnn(), Job("odd", lambda: module, SHAPE), 1, "fp32")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("part", [0.0, 0.5])
def test_a_model_that_is_cut_short_is_refused(part, capfd):
    needs_mnn()
    model = Mnn().convert(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten()).eval(), SHAPE, 1)
    with pytest.raises(Exception, match="Invalid model file") as caught:
        Mnn().prepare(model[: int(part * len(model))], np.zeros((1, *SHAPE), np.float32), 1, "fp32")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
