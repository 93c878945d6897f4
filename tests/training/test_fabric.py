"""Where a training runs is refused before it begins, and said by torchrun where there are several processes."""

from __future__ import annotations

import os

import pytest
import torch

from surgenas.core.errors import UsageError
from surgenas.training.fabric import Seat, check_accelerator, make_fabric, share_of_cores


def test_an_accelerator_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match="--accelerator 'tpu': one of auto, cpu, cuda"):
        check_accelerator("tpu", 1)
    many = torch.cuda.device_count() + 1
    with pytest.raises(UsageError, match=f"--accelerator cuda: {many} wanted, {many - 1} found here"):
        check_accelerator("cuda", many)
    assert make_fabric("cpu").device.type == "cpu"


def test_torchrun_says_a_place(monkeypatch):
    assert Seat.given() is None
    for name, value in {"RANK": "5", "WORLD_SIZE": "6", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    assert Seat.given() is None, "of somebody else, who does not say where they meet"
    monkeypatch.setenv("MASTER_ADDR", "there")
    monkeypatch.setenv("MASTER_PORT", "29500")
    assert Seat.given() == Seat(5, 6, 1, 2)
    monkeypatch.setenv("RANK", "x")
    with pytest.raises(UsageError, match="RANK=x WORLD_SIZE=6 LOCAL_RANK=1 LOCAL_WORLD_SIZE=2: expected four whole"):
        Seat.given()
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert Seat.given() is None, "alone"


def test_processes_of_a_machine_share_its_cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    with share_of_cores(Seat(0, 1000, 0, 1000)):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with share_of_cores(Seat(0, 1, 0, 1)):
        assert torch.get_num_threads() == before, "as the environment says"
    assert "OMP_NUM_THREADS" in os.environ
