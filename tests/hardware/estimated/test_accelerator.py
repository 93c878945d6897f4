"""An accelerator sized for a network: the hand figures of docs/methods/hao.md, and boards that are too small."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from torch import nn

from surgenas.core.cost import Estimate, Failure
from surgenas.core.errors import UsageError
from surgenas.engine.jobs import job_of
from surgenas.hardware.costs import read_cost
from surgenas.hardware.devices import make_target
from surgenas.hardware.estimated.accelerator import AcceleratorTarget
from surgenas.hardware.estimated.engines import cheapest_engines
from surgenas.hardware.estimated.stages import Layer, Stage
from surgenas.hardware.target import Job, TimedTarget
from surgenas.nn.rounded import with_rounded_weights
from surgenas.testing import check_target

BOARD = AcceleratorTarget("board", dsp=360, lut=10**6, bram36=10**6, clock_mhz=100)
THREE = replace(BOARD, template="engines", most=16)


def block(cin: int, wide: int, cout: int, side: int, kernel: int) -> Stage:
    pixels = side * side
    return Stage(
        Layer("expand", cin, wide, pixels, 0, 0), Layer("deep", kernel**2, wide, pixels, 0, 0),
        Layer("project", wide, cout, pixels, 0, 0),
    )  # fmt: skip


def blocks(*kernels: int) -> list[Stage]:
    sizes = ((24, 144, 24, 28), (40, 240, 40, 14), (96, 576, 96, 14))
    return [block(*size, kernel) for size, kernel in zip(sizes, kernels, strict=True)]


def sized(target: AcceleratorTarget, stages: list[Stage], dsp: int):
    """(sizes of the engines, cycles, multipliers) on a board with so many multipliers."""
    engines, sizes = target.engines(stages)
    chosen, cycles = cheapest_engines(engines, np.array([np.inf, dsp, np.inf, np.inf]), target.together)
    used = sum(engine.uses[size][0] for engine, size in zip(engines, chosen, strict=True))
    return [options[size] for options, size in zip(sizes, chosen, strict=True)], cycles, used


@pytest.mark.parametrize(("dsp", "size", "cycles", "multipliers"), [
    (400, (32, 8), 130_144, 328), (360, (32, 8), 130_144, 328), (128, (16, 4), 502_152, 100),
])  # fmt: skip
def test_the_fused_template_has_the_cycles_of_the_table(dsp, size, cycles, multipliers):
    assert sized(BOARD, blocks(3, 3, 3), dsp) == ([size], cycles, multipliers)


def test_sixteen_by_sixteen_as_in_the_public_accelerator_is_a_little_slower():
    engines, sizes = BOARD.engines(blocks(3, 3, 3))
    at = sizes[0].index((16, 16))
    assert engines[0].cycles[at].sum() == 130_536
    assert engines[0].uses[at][0] == 400


@pytest.mark.parametrize(("together", "dsp", "cycles"), [
    ("sum", 360, 297_724), ("max", 360, 125_440), ("sum", 128, 829_472), ("max", 128, 482_160),
])  # fmt: skip
def test_three_engines_have_the_cycles_of_the_table(together, dsp, cycles):
    found, least, used = sized(replace(THREE, together=together), blocks(3, 5, 3), dsp)
    assert least == cycles
    assert used <= dsp
    if dsp == 360:
        assert (found, used) == ([(8, 16), (64,), (16, 8)], 320)


def test_a_network_is_sized_and_says_how(small):
    arch = small.parse("-".join(["k3e3"] * len(small.choices)))
    (cost,) = BOARD.price([job_of(arch)])
    assert isinstance(cost, Estimate)
    assert cost.ms == pytest.approx(cost.values["cycles"] / 1e5)
    assert cost.values["DSP"] == cost.values["multipliers"] <= 360
    assert sum(ms for _, ms in cost.by_layer) == pytest.approx(cost.ms)
    assert cost.assumptions[-1].startswith("Sized for this network: fused ")
    assert read_cost(json.loads(json.dumps(cost.to_dict()))) == cost
    (slower,) = replace(BOARD, dsp=40).price([job_of(arch)])
    assert slower.ms > cost.ms
    assert slower.values["DSP"] <= 40


def test_memory_holds_a_network_up_where_it_is_narrow(small):
    arch = small.parse("-".join(["k3e3"] * len(small.choices)))
    (free,), (wide,), (narrow,) = (
        replace(BOARD, bandwidth_gbs=gbs).price([job_of(arch)]) for gbs in (0.0, 1000.0, 0.01)
    )
    assert free.ms == wide.ms
    assert narrow.ms > 2 * free.ms


def test_half_the_dsps_a_multiplier_are_never_slower(small):
    arch = small.parse("-".join(["k5e6"] * len(small.choices)))
    (whole,), (half,) = (replace(BOARD, dsp_per_multiplier=d).price([job_of(arch)]) for d in (1.0, 0.5))
    assert half.ms < whole.ms
    assert half.values["DSP"] == half.values["multipliers"] / 2 <= 360


def test_a_board_that_holds_no_engine_says_what_it_lacks():
    job = Job("one", lambda: nn.Sequential(nn.Conv2d(4, 4, 1)), (4, 4, 4))
    (failure,) = replace(BOARD, dsp=4).price([job])
    assert isinstance(failure, Failure)
    assert str(failure.error) == (
        "board: the board holds no such accelerator; the smallest needs 10 DSP, 0 LUT, 2 BRAM36, the board has 4, "
        "1000000, 1000000"
    )


def test_what_it_cannot_map_fails_alone():
    grouped = Job("grouped", lambda: nn.Sequential(nn.Conv2d(4, 4, 1, groups=2)), (4, 4, 4))
    plain = Job("plain", lambda: nn.Sequential(nn.Conv2d(4, 4, 1)), (4, 4, 4))
    failure, cost = BOARD.price([grouped, plain])
    assert isinstance(failure.error, UsageError)
    assert cost.ms > 0


def test_the_board_that_is_shipped_keeps_the_contract_and_is_no_device(small):
    target = make_target("zu3eg")
    check_target(target, [job_of(small.parse("-".join(["k3e3"] * len(small.choices))))])
    assert not isinstance(target, TimedTarget)
    assert target.describe().evidence == "estimated"


def with_bits(bits: int) -> nn.Module:
    return with_rounded_weights(nn.Sequential(nn.Conv2d(64, 256, 1), nn.Conv2d(256, 64, 1)), bits)


def priced(target: AcceleratorTarget, bits: int):
    (found,) = target.price([Job(f"w{bits}", lambda: with_bits(bits), (64, 14, 14))])
    return found


def test_narrow_weights_go_two_at_a_time_through_a_multiplier_that_packs_them():
    packing = replace(BOARD, packed_bits=4)
    assert priced(packing, 4).values["cycles"] * 2 == priced(packing, 8).values["cycles"]
    assert priced(BOARD, 4).values["cycles"] == priced(BOARD, 8).values["cycles"]


def test_narrow_weights_are_fewer_bytes_to_wait_for():
    """A layer of 1 x 1 pixels moves hardly anything but weights."""
    starved = replace(BOARD, bandwidth_gbs=0.001)

    def ms(bits):
        (found,) = starved.price([Job("n", lambda: with_bits(bits), (64, 1, 1))])
        return found.ms

    assert ms(4) == pytest.approx(ms(8) / 2, rel=0.05)


def test_wider_weights_than_the_engines_take_are_refused():
    found = priced(replace(BOARD, weight_bits=4), 8)
    assert isinstance(found, Failure)
    assert str(found.error) == "0 has weights of 8 bits, board takes 4"
