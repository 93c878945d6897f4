"""LiteRT, where it is installed; where it is not, what to install."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from torch import nn

from surgenas.core.errors import EnvironmentFault
from surgenas.hardware.runtimes.litert import LiteRT

IMAGES = np.random.default_rng(0).standard_normal((2, 3, 8, 8), dtype=np.float32)


def test_an_interpreter_that_cannot_be_imported_names_the_extra(monkeypatch):
    """None in sys.modules: an import of it fails, as a library that is missing makes it."""
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(EnvironmentFault, match=r"LiteRT cannot be imported .*pip install 'surgenas\[litert\]'"):
        LiteRT().prepare(b"", IMAGES, 1, "fp32")


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_it_computes_what_pytorch_does_with_any_number_of_threads(threads):
    pytest.importorskip("litert_torch")
    pytest.importorskip("ai_edge_litert")
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5)).eval()
    found = LiteRT().prepare(LiteRT().convert(network, (3, 8, 8), 2), IMAGES, threads, "fp32")()
    with torch.no_grad():
        assert np.allclose(found, network(torch.from_numpy(IMAGES)).numpy(), atol=1e-4)
