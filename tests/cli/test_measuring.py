"""Commands that ask a device: what they print, and what they refuse to be silent about."""

from __future__ import annotations

import json

import pytest

from surgenas.spaces.mobile import Mobile
from tests.runs.written import GENES, ROOFLINE, architecture_file

TOY = ("--device", "surgenas.testing:toy_device")
HOPELESS = ("--device", "tests.runs.written:HopelessDevice")


@pytest.mark.usefixtures("arch")
def test_a_latency_that_is_too_noisy_to_say_is_never_silent(run):
    code, out, _ = run("measure", "arch.json", *HOPELESS)
    assert code == 0
    assert "too noisy to say (grade D): arch.json, MobileNetV2" in out
    code, out, err = run("measure", "arch.json", *HOPELESS, "--strict")
    assert code == 6
    assert "when the machine is idle" in err
    assert run("measure", "arch.json", *TOY, "--strict")[0] == 0


@pytest.mark.usefixtures("arch")
def test_what_failed_is_told_in_the_table_and_by_the_code(run, tmp_path):
    architecture_file(tmp_path / "narrow.json", Mobile(layout="small", resolution=16, width=0.5).architecture(GENES))
    ask = ("measure", "arch.json", "narrow.json", "--device", "tests.runs.written:SnobbishDevice")
    code, out, err = run(*ask, "--json")
    rows = {row["name"]: row for row in json.loads(out)["measurements"]}
    assert code == 1
    assert "no latency of narrow.json; the reasons are above" in err
    assert rows["narrow.json"]["error"] == "not that width"
    assert rows["arch.json"]["ms"] > 0
    code, out, _ = run(*ask)
    assert (code, "narrow.json: not that width" in out) == (1, True)
    assert run("measure", "narrow.json", *ask[3:])[0] == 2, "where nothing is left to show, its own error ends it"


@pytest.mark.usefixtures("arch")
def test_a_target_on_paper_says_estimated_and_is_strict_enough(run, tmp_path):
    (tmp_path / "paper.toml").write_text(ROOFLINE)
    code, out, err = run("measure", "arch.json", "--device", "paper.toml", "--layers", "--strict")
    assert code == 0, err
    assert "estimated by roofline 1; nothing ran" in out
    assert not [word for word in ("measured", "grade", "+-", "p90", "nan") if word in out]


@pytest.mark.usefixtures("arch")
def test_scale_finds_a_zone_or_says_that_it_cannot_tell(run, tmp_path):
    code, out, err = run("scale", "arch.json", *TOY, "--knob", "resolution", "--most", "1.5", "--json")
    assert code == 0, err
    assert json.loads(out)["picked"]["scale"] == 1.5
    assert (tmp_path / "scaled" / "architecture.json").exists()
    code, out, _ = run("scale", "arch.json", *HOPELESS, "--knob", "resolution", "--most", "1.5", "--out", "busy")
    assert (code, "cannot be said" in out, "inside" in out) == (0, True, False)


def test_operators_say_how_to_go_on(run):
    code, out, err = run("operators", *TOY, "--space", "shuffle", "--resolution", "16", "--keep", "2")
    assert code == 0, err
    assert "next: surgenas search --space operators/space-surgenas-testing-toy-device.json" in out
    assert out.count("kept") == 2
