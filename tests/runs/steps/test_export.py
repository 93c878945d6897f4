"""The ONNX file: what it holds, and that a file that computes something else is refused."""

from __future__ import annotations

import json

import numpy as np
import onnx
import onnxruntime
import pytest

from surgenas.core.errors import CorruptError
from surgenas.runs.results import Exported
from surgenas.runs.steps.export import export
from tests.runs.written import again


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


def test_without_weights_or_with_others_nothing_is_exported(finished, copied):
    run = copied(finished.run)
    content = (run.folder / "model.safetensors").read_bytes()
    (run.folder / "model.safetensors").write_bytes(content[:100])
    with pytest.raises(CorruptError, match="does not hold the weights"):
        export(run)
    (run.folder / "model.safetensors").unlink()
    with pytest.raises(CorruptError, match="surgenas resume"):
        export(again(run))
