"""PyTorch as a runtime: what it must do to its process so that one network takes the same in every one."""

from __future__ import annotations

import subprocess
import sys

import pytest

FAULTS = """
import resource, numpy as np, torch
from surgenas.hardware.timed.references import reference_named
from surgenas.hardware.runtimes.pytorch import PyTorch
large = reference_named("reference-l/1")
shape = (1, *large.input_shape)
model = PyTorch().convert(large.build().eval(), large.input_shape, 1)
call = PyTorch().prepare(model, np.zeros(shape, np.float32), 1, "fp32")
for _ in range(5):
    call()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    call()
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 10)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc")
def test_memory_that_layers_free_stays_with_the_process():
    """It was a thousand page faults a run otherwise, or none, by what the process had done before."""
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 100
