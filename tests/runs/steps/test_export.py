"""The ONNX file: what it holds, and that a file that computes something else is refused."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import onnx
import onnxruntime
import pytest

from surgenas.core.errors import CorruptError
from surgenas.runs.results import Exported
from surgenas.runs.steps.export import export
from tests.runs.written import again, trained


def test_the_file_is_compared_with_the_network_and_says_what_it_is(finished, copied):
    run = copied(finished.run)
    found = export(run)
    assert found == run.result(Exported), "the same again"
    assert found.max_difference < 1e-4
    assert found.same_class == 1.0
    model = onnx.load(run.folder / "model.onnx")
    facts = {p.key.rpartition(".")[2]: p.value for p in model.metadata_props}
    assert {"classes", "mean", "std", "architecture"} <= facts.keys()
    assert "dark" in facts["classes"]
    assert json.loads(facts["architecture"]) == finished.architecture.to_dict()
    session = onnxruntime.InferenceSession((run.folder / "model.onnx").read_bytes())
    for batch in (1, 3):
        images = np.zeros((batch, 3, 16, 16), np.float32)
        assert session.run(None, {"images": images})[0].shape == (batch, 3), "the batch size is open"


@pytest.mark.parametrize(
    ("device", "names"),
    [
        ("HandingDevice", ["model-int8.onnx"]),
        pytest.param("HandingXml", ["model.xml", "model.bin"], marks=pytest.mark.slow),
    ],
)
def test_the_files_of_the_device_stand_beside_it_and_are_the_same_each_time(fresh, images, device, names):
    if device == "HandingXml":
        pytest.importorskip("openvino")
    run = trained(fresh(data=images, device=f"tests.runs.written:{device}"))
    found = export(run)
    assert list(found.delivered.digests) == names
    digests = [hashlib.sha256((run.folder / name).read_bytes()).hexdigest() for name in names]
    assert digests == list(found.delivered.digests.values())
    assert found.delivered.difference < {"HandingDevice": 0.5, "HandingXml": 1e-3}[device]
    assert 0.0 <= found.delivered.accuracy <= 1.0
    use = json.loads((run.folder / "model.json").read_text())
    assert list(use["files"]) == ["model.onnx", *names]
    assert use["files"][names[0]]["batch"] == 1
    assert export(run) == found


def test_a_device_that_runs_the_file_for_everybody_needs_no_other(fresh):
    found = export(trained(fresh(device="tests.runs.written:HandingOnnx")))
    assert list(found.delivered.digests) == ["model.onnx"]
    assert found.files["model.onnx"].batch is None


def test_without_weights_or_with_others_nothing_is_exported(finished, copied):
    run = copied(finished.run)
    content = (run.folder / "model.safetensors").read_bytes()
    (run.folder / "model.safetensors").write_bytes(content[:100])
    with pytest.raises(CorruptError, match="does not hold the weights"):
        export(run)
    (run.folder / "model.safetensors").unlink()
    with pytest.raises(CorruptError, match="surgenas resume"):
        export(again(run))
