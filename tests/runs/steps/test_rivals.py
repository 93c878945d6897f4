"""What the found network is compared with: equal latency is measured, not predicted."""

from __future__ import annotations

import itertools

import pytest

from surgenas.core import moves
from surgenas.runs.measured import measure
from surgenas.runs.names import AS_LONG, EQUAL, SMALLER, SMALLER_AS_LONG
from surgenas.runs.results import Derived
from surgenas.runs.steps.rivals import ALIKE, rivals
from tests.runs.written import again, timed


def derived(run, **beside):
    """As if the middle of what can be reached had been found."""
    arch = moves.uniform_architecture(run.space, "k5e3")
    (cost,) = measure(run, "found", [arch])
    run.record("derive", Derived(arch, cost.ms, cost, 1))
    return run


@pytest.fixture
def ready(profiled, copied, listener):
    run = copied(profiled, listener)
    text = (run.folder / "config.json").read_text()
    for name in ("random", "random_at_equal_latency"):
        text = text.replace(f'"{name}": 1', f'"{name}": 2')
    (run.folder / "config.json").write_text(text)
    return derived(again(run, listener))


def test_rivals_come_by_name_the_yardstick_first(ready):
    found = rivals(ready).architectures
    assert [*found] == [
        "MobileNetV2", "random at equal latency 1", "random at equal latency 2", "random 1", "random 2",
    ]  # fmt: skip
    target_ms = ready.derived.cost.ms
    costs = dict(zip(found, measure(ready, "check", list(found.values())), strict=True))
    assert costs["MobileNetV2"].ms == pytest.approx(target_ms, rel=0.1)
    for i in (1, 2):
        assert costs[f"random at equal latency {i}"].ms == pytest.approx(target_ms, rel=ALIKE)
    assert len({arch.key for arch in found.values()}) == 5
    assert rivals(again(ready)).architectures == found, "asked again it says the same"


def test_without_a_wish_there_is_the_yardstick_alone(fresh):
    assert [*rivals(derived(fresh())).architectures] == ["MobileNetV2"]


def test_a_target_that_cannot_price_the_yardstick_says_so(fresh, listener):
    run = derived(fresh(progress=listener, device="tests.runs.written:SnobbishDevice", random=1))
    assert [*rivals(run).architectures] == ["random 1"]
    assert any("no MobileNetV2 beside the found network: not that width" in line for line in listener.said)


def test_a_yardstick_that_cannot_be_so_small_is_told_of(ready, listener):
    arch = moves.uniform_architecture(ready.space, "skip")
    ready.record("derive", Derived(arch, 0.001, timed(0.001), 1))
    rivals(ready)
    assert any("the nearest MobileNetV2 takes" in line for line in listener.said)


def test_a_latency_that_no_random_network_has_is_said(ready, listener):
    arch = moves.uniform_architecture(ready.space, "skip")
    ready.record("derive", Derived(arch, 0.001, timed(0.001), 1))
    assert "random at equal latency 1" not in rivals(ready).architectures
    assert any("only 0 random architectures near 0.001 ms were found" in line for line in listener.said)


def test_the_found_network_does_not_stand_beside_itself(ready, monkeypatch):
    """In a space of few networks every other draw may be the found one."""
    found, real, turn = ready.derived.architecture, moves.sample, itertools.count()
    monkeypatch.setattr(moves, "sample", lambda space, rng: found if next(turn) % 2 else real(space, rng))
    alike = [arch for name, arch in rivals(ready).architectures.items() if name.startswith(EQUAL)]
    assert len({moves.canonical_key(ready.space, arch) for arch in alike}) == len(alike) == 2
    assert found not in alike


def test_smaller_images_are_trained_as_long_where_random_ones_are(adapted, copied):
    """Who picks them needs no search, and has its time."""
    run = copied(adapted.run)
    known = run.rivals.architectures
    assert SMALLER in known
    assert SMALLER_AS_LONG not in known
    text = (run.folder / "config.json").read_text()
    (run.folder / "config.json").write_text(text.replace('"random_at_equal_cost": 0', '"random_at_equal_cost": 1'))
    found = rivals(again(run)).architectures
    assert found[SMALLER_AS_LONG] == found[SMALLER] == known[SMALLER]
    assert f"{AS_LONG} 1" in found
