"""A trained network as a device's files: compared on test images, named, and never those of something else."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from surgenas.core.errors import CorruptError, SurgenasError
from surgenas.runs.delivery import deliver, delivered_job, read_delivered, trained_job, write_onnx
from surgenas.runs.results import ModelFile
from tests.runs.written import HandingDevice, HandingOnnx, new_run, trained


@pytest.fixture
def run(tmp_path):
    return trained(new_run(tmp_path / "run"))


class Wrong(HandingDevice):
    """Its answers are of another network."""

    def __init__(self) -> None:
        super().__init__("onnxruntime-cpu")
        self.runs_open_onnx = False

    def logits(self, job, images):
        return -super().logits(job, images)


def test_the_trained_job_has_the_weights_and_images_to_quantize_with(run):
    job = trained_job(run)
    images = torch.from_numpy(job.images()[:2])
    with torch.no_grad():
        assert torch.equal(job.module(images), job.module(images)), "not made anew each time"
    assert len(job.images()) == 256
    assert delivered_job(run) is None


def test_a_file_that_computes_something_else_is_refused_in_fp32(run, tmp_path):
    with pytest.raises(SurgenasError, match="something else than PyTorch"):
        deliver(Wrong(), trained_job(run), run.data, run.folder / "model.onnx")


def test_a_fixed_batch_in_onnx_is_no_file_for_everybody(run):
    target = HandingOnnx()
    target.runs_open_onnx = False
    found = deliver(target, trained_job(run), run.data, run.folder / "model.onnx")
    assert list(found.digests) == ["model-batch1.onnx"]
    assert found.file == ModelFile("fp32", 1, target.describe().runtime)
    assert found.difference < 1e-4
    assert found.same_class == 1.0


def test_files_are_read_back_only_as_they_were(run):
    job = trained_job(run)
    write_onnx(run.folder / "model.onnx", job.module, run.derived.architecture, run.space.input_shape, run.data)
    found = deliver(HandingOnnx(), job, run.data, run.folder / "model.onnx")
    assert read_delivered(run.folder, found) == {".onnx": (run.folder / "model.onnx").read_bytes()}
    with pytest.raises(CorruptError, match="missing or damaged; `surgenas resume"):
        read_delivered(run.folder, replace(found, digests={"model.onnx": "0"}))
    (run.folder / "model.onnx").unlink()
    with pytest.raises(CorruptError, match="missing or damaged"):
        read_delivered(run.folder, found)
