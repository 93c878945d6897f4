"""What the compiler for Ethos-U says is read from its tables."""

from __future__ import annotations

import pytest
from torch import nn

from surgenas.core.errors import DataError, EnvironmentFault
from surgenas.hardware.estimated import vela
from tests.hardware.tflite.compared import file_of

pytest.importorskip("ethosu.vela")

OPTIONS = [
    "--accelerator-config", "ethos-u55-128", "--system-config", "Ethos_U55_High_End_Embedded", "--memory-mode",
    "Shared_Sram", "--config", "Arm/vela.ini",
]  # fmt: skip


def test_a_layer_has_cycles_memory_and_a_name():
    found = vela.compile_for(file_of(nn.Conv2d(4, 8, 3, padding=1), (4, 16, 16)), OPTIONS)
    assert found.clock_hz == 500e6
    assert found.cycles > 0
    assert found.sram >= 4 * 16 * 16 + 8 * 16 * 16  # what goes in and what comes out, in bytes
    assert found.flash >= 8 * 4 * 9
    assert dict(found.by_operator)["logits"] == max(cycles for _, cycles in found.by_operator)
    assert found.on_cpu == ()


def test_what_the_npu_cannot_run_is_named():
    class Strided(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(4, 8, 1)

        def forward(self, images):
            return self.layer(images)[:, ::2]

    (found,) = vela.compile_for(file_of(Strided(), (4, 8, 8)), OPTIONS).on_cpu
    assert found.startswith("StridedSlice (")


def test_an_unknown_system_is_said_in_the_compilers_words():
    with pytest.raises(DataError, match=r"Vela cannot compile it \(.*No_Such_System"):
        vela.compile_for(file_of(nn.Conv2d(4, 8, 1), (4, 8, 8)), [*OPTIONS, "--system-config", "No_Such_System"])


def test_a_compiler_that_is_not_installed_is_named_with_its_extra(monkeypatch):
    monkeypatch.setattr(vela, "DISTRIBUTION", "no-such-distribution")
    with pytest.raises(EnvironmentFault, match=r"not installed; pip install 'surgenas\[ethos-u\]'"):
        vela.compile_for(b"", OPTIONS)
