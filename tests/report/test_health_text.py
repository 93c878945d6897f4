"""What `surgenas doctor` prints."""

from __future__ import annotations

from dataclasses import replace

from surgenas.core.cost import Estimate
from surgenas.report.health_text import health_text
from surgenas.studies.doctor import Health, Noise

QUIET = Health(
    python="3.11", packages={"torch": "2"}, processor="a [fast] one", cores=2, free_bytes=3_000_000_000, gpu="",
    devices={"board": "board: it is not plugged in", "cpu": "", "paper": ""}, store="sqlite:///there",
    noise=Noise("cpu", 9.5, 0.02, Estimate("net", "cpu", {"ms": 0.5}, "made", "1")), advice=(),
)  # fmt: skip


def test_a_line_says_what_works_and_another_what_does_not_and_why():
    lines = [line.split(maxsplit=1) for line in health_text(QUIET).splitlines()]
    said = {name: text.strip() for name, text in lines if name != "not"}
    assert said["packages"] == "Python 3.11, torch 2"
    assert said["machine"] == "a [fast] one, 2 cores, 3.0 GB of memory free"
    assert said["GPU"] == "none"
    assert said["devices"] == "cpu, paper"
    assert said["noise"].startswith("MobileNetV2 x 0.5 at 64 px on cpu: estimated 0.5 ms, in ")
    assert ["not", "here  board: it is not plugged in"] in lines
    assert health_text(QUIET).splitlines()[-1] == "nothing is in the way of a search: surgenas search"


def test_what_is_in_the_way_comes_last_with_what_to_do():
    busy = replace(QUIET, noise=Noise("cpu", 9.5, 0.5, failed="too noisy"), advice=("wait", "end programs"))
    text = health_text(busy)
    assert text.splitlines()[-2:] == ["! wait", "! end programs"]
    assert "not known; other programs used 50% of the cores" in text
    broken = health_text(replace(QUIET, store="", noise=None))
    assert "measurements cannot be kept" in broken
    assert "not measured" in broken
