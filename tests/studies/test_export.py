"""A run's network in the format of any device: by suffix or by name, and never another format under that name."""

from __future__ import annotations

import hashlib
import json
import shutil

import onnx
import pytest

from surgenas import api
from surgenas.core.errors import EnvironmentFault, UsageError
from surgenas.core.progress import Progress
from surgenas.hardware.runtimes.litert import LiteRT
from surgenas.runs.run import Run
from surgenas.runs.steps.export import export
from surgenas.studies.export import HandedOn
from tests.runs.written import ROOFLINE, new_run, trained


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The folder of a run that was searched for a device in int8, and exported. Who uses it copies it first."""
    folder = tmp_path_factory.mktemp("exported") / "run"
    run = trained(new_run(folder, device="tests.runs.written:HandingDevice"))
    run.record("export", export(run))
    return folder


@pytest.fixture
def run(exported, tmp_path):
    shutil.copytree(exported, tmp_path / "run")
    return Run.open(tmp_path / "run", Progress())


def test_onnx_without_a_device_is_the_file_for_everybody(run, tmp_path):
    found = api.export(run.folder, tmp_path / "net.onnx")
    assert found == HandedOn((str(tmp_path / "net.onnx"), str(tmp_path / "net.onnx.json")))
    assert (tmp_path / "net.onnx").read_bytes() == (run.folder / "model.onnx").read_bytes()
    use = json.loads((tmp_path / "net.onnx.json").read_text())
    assert list(use["files"]) == ["net.onnx"]
    assert len(use["classes"]) == 10
    assert HandedOn.from_json(found.to_json()) == found


def test_the_files_of_a_run_are_left_alone(run):
    before = {path.name: path.read_bytes() for path in run.folder.iterdir() if path.is_file()}
    for device in ("", "onnxruntime-cpu-int8"):
        with pytest.raises(UsageError, match="choose a place outside"):
            api.export(run.folder, run.folder / "model.onnx", device)
    assert {path.name: path.read_bytes() for path in run.folder.iterdir() if path.is_file()} == before


def test_a_device_gets_its_own_file_compared(run, tmp_path):
    found = api.export(run.folder, tmp_path / "net.onnx", "onnxruntime-cpu-int8")
    assert found.delivered.file.precision == "int8"
    assert (tmp_path / "net.onnx").read_bytes() == (run.folder / "model-int8.onnx").read_bytes(), "the same calibration"
    assert any(node.op_type == "QuantizeLinear" for node in onnx.load(tmp_path / "net.onnx").graph.node)
    found = api.export(run.folder, tmp_path / "plain.onnx", "onnxruntime-cpu")
    assert found.delivered.difference < 1e-3
    assert (tmp_path / "plain.onnx").read_bytes() == (run.folder / "model.onnx").read_bytes()


def test_the_runs_own_device_gets_what_was_measured_without_a_new_conversion(run, tmp_path, monkeypatch):
    monkeypatch.setattr("surgenas.studies.export.deliver", None)
    found = api.export(run.folder, tmp_path / "net.onnx", "tests.runs.written:HandingDevice")
    assert (tmp_path / "net.onnx").read_bytes() == (run.folder / "model-int8.onnx").read_bytes()
    digest = hashlib.sha256((tmp_path / "net.onnx").read_bytes()).hexdigest()
    assert found.delivered.digests == {"net.onnx": digest}, "by the name of what was written"


def test_what_is_written_is_measured_if_asked(run, tmp_path):
    found = api.export(run.folder, tmp_path / "net.onnx", "tests.runs.written:HandingDevice", measured=True)
    assert found.cost.ms > 0
    assert found.cost.target == run.target.key


@pytest.mark.slow
def test_another_suffix_is_another_format(run, tmp_path):
    pytest.importorskip("openvino")
    found = api.export(run.folder, tmp_path / "net.xml")
    assert (tmp_path / "net.xml").read_bytes().startswith(b"<?xml")
    assert (tmp_path / "net.bin").stat().st_size > 4 * 10_000, "all bits of the weights"
    assert found.files == tuple(str(tmp_path / name) for name in ("net.xml", "net.bin", "net.xml.json"))
    assert found.delivered.difference < 1e-3


def test_what_cannot_be_written_is_one_line_and_writes_nothing(run, tmp_path, monkeypatch):
    def absent(_):
        raise EnvironmentFault("ai-edge-litert is not installed; pip install 'surgenas[litert]'")

    monkeypatch.setattr(LiteRT, "version", property(absent))
    (tmp_path / "paper.toml").write_text(ROOFLINE)
    for name, device, error, says in (
        ("net.tflite", "", EnvironmentFault, r"surgenas\[litert\]"),
        ("net.pt", "", UsageError, r"suffix '\.pt'; one of \.mnn, \.onnx, \.param, \.pt2, \.pte, \.tflite, \.xml"),
        ("net", "", UsageError, "no device takes files of the suffix ''"),
        ("net.tflite", "onnxruntime-cpu-int8", UsageError, r"onnxruntime-cpu-int8 takes \.onnx files, not \.tflite"),
        ("net.onnx", "toaster", UsageError, "unknown device 'toaster'"),
        ("net.onnx", str(tmp_path / "paper.toml"), UsageError, "nothing runs there"),
    ):  # fmt: skip
        with pytest.raises(error, match=says) as caught:
            api.export(run.folder, tmp_path / name, device)
        assert "\n" not in str(caught.value)
        assert not (tmp_path / name).exists()
