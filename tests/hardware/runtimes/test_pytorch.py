"""PyTorch as a runtime: what it must do to its process, and no pickle by a back door."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from torch import nn

from surgenas.core.errors import SurgenasError
from surgenas.hardware.runtimes.pytorch import PyTorch

FAULTS = """
import resource, numpy as np
from torch import nn
from surgenas.hardware.runtimes.pytorch import PyTorch
layers = [nn.Sequential(nn.Conv2d(32, 32, 3, padding=1, groups=32), nn.ReLU()) for _ in range(3)]
network = nn.Sequential(nn.Conv2d(3, 32, 3, padding=1), *layers).eval()
call = PyTorch().prepare(PyTorch().convert(network, (3, 96, 96), 1), np.zeros((1, 3, 96, 96), np.float32), 1, "fp32")
for _ in range(5):
    call()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    call()
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 10)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc")
@pytest.mark.slow
def test_memory_that_layers_free_stays_with_the_process(monkeypatch):
    """It was thousands of page faults a run otherwise, or none, by what the process had done before; in one that is
    told to give everything back to the kernel at once, always thousands."""
    for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"):
        monkeypatch.setenv(name, str(1 << 17))
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 100


class Tiny(nn.Module):
    def forward(self, x_NCHW):
        return x_NCHW.mean((2, 3))


class Bomb:
    def __reduce__(self):
        return pytest.fail, ("somebody's pickle was run",)


def test_an_exported_program_with_a_pickle_is_refused_before_it_is_loaded():
    """The format's own loader would run it, both in the sample inputs and as an opaque constant."""
    images = np.zeros((1, 3, 4, 4), np.float32)
    model = PyTorch().convert(Tiny(), (3, 4, 4), 1)
    assert PyTorch().prepare(model, images, 1, "fp32")().shape == (1, 3)
    config = b'{"config": {"x": {"path_name": "opaque_obj_0", "use_pickle": true}}}'
    for part, content in (("/sample_inputs/", pickle.dumps(Bomb(), protocol=2)), ("constants_config.json", config)):
        with pytest.raises(SurgenasError, match="refused"):
            PyTorch().prepare(with_part(model, part, content), images, 1, "fp32")


def with_part(model: bytes, part: str, content: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(model)) as old, zipfile.ZipFile(sink, "w") as new:
        for name in old.namelist():
            new.writestr(name, content if part in name else old.read(name))
    return sink.getvalue()
