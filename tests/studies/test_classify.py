"""Labels of new images: those of the run's own network and of the program on the page, in any number; and what is
refused."""

from __future__ import annotations

import json
import shutil
from contextlib import chdir

import numpy as np
import pytest
import torch
from PIL import Image

import surgenas
from surgenas import api
from surgenas.core.errors import CorruptError, DataError, SurgenasError, UsageError
from surgenas.core.progress import Progress
from surgenas.report.snippet import snippet
from surgenas.runs.names import ONNX, USE
from surgenas.runs.results import ModelFile
from surgenas.runs.run import Run
from surgenas.runs.steps.export import export
from surgenas.spaces.mobile import Mobile
from surgenas.studies.classify import TOGETHER, Classified, find_images
from surgenas.tasks.classification import predict
from tests.runs.written import GENES, architecture_file, new_run, pictures, trained

PLACES = {"train": 12, "test": 14}
"""Images of each of three classes in each part; more than TOGETHER in the test part."""
LEFT_OPEN = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
"""The program of the page is short, and leaves closing a file to Python."""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "pictures"
    for part, each in PLACES.items():
        pictures(folder / part, each)
    for i, path in enumerate(sorted((folder / "test").rglob("*.png"))):  # else they are those that were learnt from
        Image.fromarray(np.asarray(Image.open(path)) ^ np.uint8(1 + i)).save(path)
    wide = Image.fromarray(np.random.default_rng(1).integers(0, 256, (90, 150, 3)).astype(np.uint8))
    turned = Image.Exif()
    turned[0x0112] = 6
    wide.save(folder / "test" / "dark" / "turned.jpg", exif=turned)
    return folder


@pytest.fixture(scope="module", params=["crop", "pad"])
def exported(request, data, tmp_path_factory):
    """A run of image files, exported. Who changes its folder copies it first."""
    folder = tmp_path_factory.mktemp("exported") / "run"
    run = trained(new_run(folder, data=str(data), fit=request.param))
    run.record("export", export(run), [ONNX, USE])
    return folder


@pytest.fixture
def run(exported, tmp_path):
    shutil.copytree(exported, tmp_path / "run")
    return tmp_path / "run"


def test_images_of_the_test_part_get_the_labels_of_the_runs_own_network(exported, data):
    found = surgenas.classify(exported, data / "test", top=3)
    run = Run.open(exported, Progress())
    expected = predict(surgenas.load(exported), run.data, run.data.test).softmax(1)
    assert len(found.images) == len(expected) > TOGETHER
    assert [image.label for image in found.images] == [run.data.classes[i] for i in expected.argmax(1)]
    for image, row in zip(found.images, expected, strict=True):
        said = {image.label: image.probability, **{other.label: other.probability for other in image.next}}
        assert [said[name] for name in run.data.classes] == pytest.approx(row.tolist(), abs=1e-5)
        assert image.probability >= image.next[0].probability >= image.next[1].probability
    assert len({image.label for image in found.images}) > 1, "else any constant would do"


def check_the_program_of_the_page(exported, data):
    photos = [data / "test" / "dark" / "turned.jpg", data / "test" / "bright" / "3.png"]
    for photo, image in zip(photos, surgenas.classify(exported, photos).images, strict=True):
        known: dict = {}
        with chdir(exported):
            exec(snippet(ONNX, ModelFile()).replace("photo.jpg", str(photo)), known)
        logits = known["logits"][0]
        assert image.label == known["use"]["classes"][logits.argmax()]
        assert image.probability == pytest.approx(torch.tensor(logits).softmax(0).max().item(), abs=1e-5)


@LEFT_OPEN
def test_the_program_of_the_page_says_the_same(exported, data):
    check_the_program_of_the_page(exported, data)


def test_what_train_wrote_reaches_its_accuracy(data, tmp_path):
    arch = architecture_file(tmp_path / "a.json", Mobile(layout="small", resolution=16, classes=3).architecture(GENES))
    told = api.train(arch, str(data), tmp_path / "out", epochs=2, batch=12, accelerator="cpu")
    found = surgenas.classify(tmp_path / "out", data / "test")
    right = [image.label == image.file.split("/")[-2] for image in found.images]
    assert np.mean(right) == pytest.approx(told.accuracy.test)
    (tmp_path / "out" / ONNX).unlink()
    with pytest.raises(SurgenasError, match=r"no model\.onnx yet; `surgenas train --out"):
        surgenas.classify(tmp_path / "out", data / "test")


@LEFT_OPEN
def test_a_run_of_digits_reads_photos_as_digits_were_read(tmp_path, data):
    run = trained(new_run(tmp_path / "run"))
    run.record("export", export(run))
    assert json.loads((run.folder / USE).read_text())["interpolation"] == "bilinear"
    check_the_program_of_the_page(run.folder, data)


def test_sixteen_bits_are_as_bright_as_when_they_were_learnt(tmp_path):
    values = np.random.default_rng(0).integers(0, 4096, (2, 10, 16, 16)).astype(np.uint16)
    for name, images in zip("ab", values, strict=True):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i, pixels in enumerate(images):
            Image.fromarray(pixels).save(tmp_path / "data" / name / f"{i}.png")
    run = trained(new_run(tmp_path / "run", data=str(tmp_path / "data")))
    run.record("export", export(run))
    dim = tmp_path / "dim.png"
    Image.fromarray(values[0, 0] // 4).save(dim)
    (said,) = surgenas.classify(run.folder, dim, top=2).images
    shown = torch.from_numpy((values[0, 0] // 4 * (255 / 4095)).astype(np.uint8)).expand(1, 3, 16, 16)
    with torch.no_grad():
        expected = surgenas.load(run.folder)(run.data.normalise(shown)).softmax(1)[0]
    assert said.probability == pytest.approx(expected.max().item(), abs=1e-5)


def test_what_cannot_be_read_is_named_and_the_others_go_on(exported, data, tmp_path, listener):
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    (tmp_path / "photo.heic").write_bytes(b"no image")
    found = surgenas.classify(exported, [tmp_path / "broken.jpg", data / "test" / "dark", tmp_path / "photo.heic"],
                              progress=listener)  # fmt: skip
    assert len(found.images) == PLACES["test"] + 1
    assert [one.file for one in found.unreadable] == [str(tmp_path / "broken.jpg"), str(tmp_path / "photo.heic")]
    assert "cannot identify image file" in found.unreadable[0].why
    assert f"skipped {tmp_path / 'broken.jpg'}: {found.unreadable[0].why}" in listener.said
    assert Classified.from_json(json.loads(json.dumps(found.to_json()))) == found
    with pytest.raises(DataError, match=r"none of 1 image\(s\) can be read: first .*broken"):
        surgenas.classify(exported, tmp_path / "broken.jpg")


def test_images_are_found_once_and_what_is_left_out_is_told(data, tmp_path, listener):
    (tmp_path / "some" / "deep").mkdir(parents=True)
    (tmp_path / "some" / "notes.txt").write_text("none")
    shutil.copy(data / "test" / "dark" / "0.png", tmp_path / "some" / "deep" / "0.png")
    deep = tmp_path / "some" / "deep" / "0.png"
    assert find_images([tmp_path / "some", deep, tmp_path / "some" / "notes.txt"], listener) == [
        deep, tmp_path / "some" / "notes.txt"
    ]  # fmt: skip
    assert any("1 file(s) in" in said and ".txt" in said for said in listener.said)
    with pytest.raises(UsageError, match="nowhere: no such file or folder"):
        find_images([tmp_path / "some", tmp_path / "nowhere"], listener)
    deep.unlink()
    with pytest.raises(DataError, match=r"no image in .*some; 1 file\(s\) in .*1 \.txt"):
        find_images([tmp_path / "some"], listener)


def test_a_folder_that_is_none_of_ours_and_a_run_that_is_not_exported_say_what_to_do(data, tmp_path):
    with pytest.raises(UsageError, match="is no run folder"):
        surgenas.classify(tmp_path, data)
    run = trained(new_run(tmp_path / "run"))
    with pytest.raises(SurgenasError, match=r"no model\.onnx yet; `surgenas resume"):
        surgenas.classify(run.folder, data)
    export(run)  # killed before it was recorded
    with pytest.raises(SurgenasError, match=r"no model\.onnx yet; `surgenas resume"):
        surgenas.classify(run.folder, data)
    run.record("export", None)
    with pytest.raises(UsageError, match="--top 0: expected 1 or more"):
        surgenas.classify(run.folder, data, top=0)


@pytest.mark.parametrize("name", [ONNX, USE])
def test_a_bit_that_turned_since_the_export_is_seen(run, data, name):
    content = bytearray((run / name).read_bytes())
    content[len(content) // 2] ^= 1
    (run / name).write_bytes(content)
    with pytest.raises(CorruptError, match=f"{name} is missing or damaged; `surgenas resume"):
        surgenas.classify(run, data / "test")


def rewritten(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda run: (run / ONNX).write_bytes((run / ONNX).read_bytes()[:3000]), "not a usable ONNX model"),
        (lambda run: (run / USE).write_text("{"), "cannot be read"),
        (lambda run: rewritten(run / USE, interpolation="cubist"), "interpolation"),
        (lambda run: rewritten(run / USE, channels="BGR"), "channels"),
        (lambda run: rewritten(run / USE, classes=["one"]), "is not the network that model.json is about"),
        (lambda run: rewritten(run / USE, width=24, height=24), "cannot be run"),
        (lambda run: rewritten(run / USE, scale=float("inf")), "NaN or infinity"),
    ],
)
def test_files_of_which_no_digest_is_known_are_checked_all_the_same(run, data, damage, expected):
    for name in ("config.json", "journal.jsonl"):  # copied to where they are used
        (run / name).unlink()
    assert surgenas.classify(run, data / "test" / "dark" / "0.png").images
    damage(run)
    with pytest.raises(CorruptError, match=expected):
        surgenas.classify(run, data / "test" / "dark" / "0.png")
