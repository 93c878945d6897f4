"""ExecuTorch, where it is installed: one thread pool a process, so never in ours."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from surgenas.core.errors import UsageError
from surgenas.hardware.runtimes.executorch import ExecuTorch

IMAGES = np.random.default_rng(0).standard_normal((2, 3, 8, 8), dtype=np.float32)


def test_it_asks_for_a_process_of_its_own_and_takes_no_onnx():
    assert ExecuTorch().own_process
    assert not ExecuTorch().takes_onnx
    with pytest.raises(UsageError, match="executorch cannot quantize"):
        ExecuTorch().quantize(b"", IMAGES)


@pytest.mark.slow
def test_it_computes_what_pytorch_does():
    pytest.importorskip("executorch.runtime")
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5)).eval()
    found = ExecuTorch().prepare(ExecuTorch().convert(network, (3, 8, 8), 2), IMAGES, 1, "fp32")()
    with torch.no_grad():
        assert np.allclose(found, network(torch.from_numpy(IMAGES)).numpy(), atol=1e-4)
