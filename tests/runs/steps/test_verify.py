"""The claim: what is pooled, what is refused, and what is never silent."""

from __future__ import annotations

import hashlib

import pytest

from surgenas.core import moves
from surgenas.core.errors import CorruptError, NoisyError
from surgenas.runs.results import Derived, Exported, Reached, Rivals, Verified
from surgenas.runs.steps.export import export
from surgenas.runs.steps.verify import say_claim, verify
from tests.runs.written import ARCH, ROOFLINE, HandingDevice, again, estimated, timed


def derived(run, cost=None):
    found = run.space.architecture(ARCH.genes)
    run.record("reach", Reached(0.001, 1.0, 0.5))
    run.record("derive", Derived(found, 1.0, cost or timed(1.0, "0", "A"), 1))
    run.record("rivals", Rivals({"random 1": moves.uniform_architecture(run.space, "k3e6")}))
    return run


def test_costs_are_asked_together_and_the_found_one_is_pooled_with_what_confirmed_it(fresh):
    run = derived(fresh(), timed(1.0))
    found = verify(run)
    assert [*found.costs] == ["found", "random 1"]
    asked = {e["key"]: e["cost"]["ms"] for e in run.journal.all("measured", step="verify")}
    assert len(asked) == 2
    again_ms, random_ms = asked.values()
    assert min(1.0, again_ms) <= found.costs["found"].ms <= max(1.0, again_ms)
    assert found.costs["found"].ms != again_ms, "what confirmed it counts as well"
    assert found.costs["random 1"].ms == random_ms


def test_of_the_found_one_the_files_that_are_delivered_are_measured_and_nothing_else_counts(handed, copied):
    """Neither freshly made weights nor a second conversion."""
    run = copied(handed)
    HandingDevice.measured_files.clear()
    found = verify(run)
    delivered = run.result(Exported).delivered
    ((content,),) = [list(files.values()) for files in HandingDevice.measured_files]
    assert {"model-int8.onnx": hashlib.sha256(content).hexdigest()} == delivered.digests
    assert content == (run.folder / "model-int8.onnx").read_bytes()
    (event,) = run.journal.all("measured", step="verify")
    assert found.costs["found"].ms == event["cost"]["ms"], "what confirmed it was another file"


def test_files_that_became_others_are_measured_anew_and_damaged_ones_not_at_all(handed, copied):
    run = copied(handed)
    run.record("verify", verify(run), ("model-int8.onnx",))
    assert run.is_done("verify")
    (run.folder / "model-int8.onnx").write_bytes(b"another")
    assert not run.is_done("verify")
    with pytest.raises(CorruptError, match=r"model-int8\.onnx is missing or damaged; `surgenas resume"):
        verify(run)
    export(run)
    verify(run)
    assert {e["turn"] for e in run.journal.all("measured", step="verify")} == {0, 1}


def test_layers_have_shares_where_the_device_tells(fresh):
    layers = verify(derived(fresh())).layers
    assert [layer.operator for layer in layers if layer.operator != "fixed"] == list(ARCH.genes)
    assert sum(layer.share for layer in layers) == pytest.approx(1.0)
    assert all(layer.macs >= 0 and layer.params >= 0 for layer in layers)


def test_a_device_that_does_not_tell_leaves_them_unknown(fresh):
    layers = verify(derived(fresh(device="surgenas.testing:MuteDevice"))).layers
    assert {layer.share for layer in layers} == {None}


def test_on_paper_nothing_is_pooled(fresh, tmp_path):
    (tmp_path / "paper.toml").write_text(ROOFLINE)
    run = derived(fresh(device=str(tmp_path / "paper.toml")), estimated(1.0))
    found = verify(run)
    assert found.costs["found"].evidence == "estimated"
    assert found.costs["found"].ms == run.journal.all("measured", step="verify")[0]["cost"]["values"]["ms"]


def test_a_grade_d_is_refused_under_strict_and_measured_anew_when_asked_again(fresh):
    run = derived(fresh(device="tests.runs.written:HopelessDevice", strict=True), timed(1.0, grade="D"))
    with pytest.raises(NoisyError, match=r"--strict forbids it; `surgenas resume"):
        verify(run)
    with pytest.raises(NoisyError):
        verify(again(run))
    assert [e["turn"] for e in run.journal.all("noisy")] == [0]
    assert {e["turn"] for e in again(run).journal.all("measured", step="verify")} == {0, 1}


def test_without_strict_a_grade_d_is_told(fresh, listener):
    run = derived(fresh(device="tests.runs.written:HopelessDevice", progress=listener), timed(1.0, grade="D"))
    run.record("verify", verify(run))
    say_claim(run)
    assert any("grade D, not to be relied on" in line for line in listener.said)


@pytest.mark.parametrize(
    ("ms", "cost", "says"),
    [(0.6, timed, "MISSED: measured"), (0.6, estimated, "MISSED: estimated"), (0.4, timed, "")],
)
def test_a_missed_limit_is_never_silent(fresh, listener, ms, cost, says):
    run = derived(fresh(progress=listener))
    run.record("verify", Verified({"found": cost(ms)}, ()))
    assert run.data.name, "read here, which is told of too"
    before = len(listener.said)
    say_claim(run)
    said = listener.said[before:]
    assert "".join(said).startswith(says)
    if says:
        assert "--latency 0.4167ms" in said[0]
    else:
        assert said == []
