"""The program of the page: it runs as it is shown, without this package, and says the class that the network says."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import surgenas
from surgenas import api
from surgenas.hardware.timed.conversion import TOLERANCE
from surgenas.report.snippet import RUN, snippet, snippets
from surgenas.runs.model_use import read_use
from surgenas.runs.results import ModelFile
from surgenas.runs.steps.export import export
from surgenas.tasks.images import decode
from tests.runs.written import new_run, pictures, trained

DOCS = Path(__file__).parents[2] / "docs" / "how_to" / "use_the_model.md"


def ran(program, folder):
    """What it prints, in a folder, isolated from this checkout."""
    done = subprocess.run([sys.executable, "-I", "-c", program], cwd=folder, capture_output=True, text=True, env={})
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def network_says(folder, photo):
    """(the class, the logits)."""
    use = read_use(folder)
    mean, std = (np.array(value, np.float32).reshape(3, 1, 1) for value in (use.mean, use.std))
    x = torch.from_numpy((decode(photo, use.width) / np.float32(255) - mean) / std)[None]
    with torch.no_grad():
        logits = surgenas.load(folder)(x)[0].numpy()
    return use.classes[int(logits.argmax())], logits


NEEDED = {
    "HandingDevice": "onnxruntime",
    "handing_npu": "tflite_micro",
    "HandingXml": "openvino",
    "HandingNcnn": "pnnx",
    "HandingMnn": "MNN",
}
QUICK = "HandingDevice"


@pytest.fixture(params=[QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in NEEDED if name != QUICK)])
def run(tmp_path, request):
    if find_spec(NEEDED[request.param]) is None:
        pytest.skip(f"{NEEDED[request.param]} is not installed")
    data = str(pictures(tmp_path / "pictures", each=8))
    run = trained(new_run(tmp_path / "run", device=f"tests.runs.written:{request.param}", data=data))
    run.record("export", export(run))
    return run


def test_the_programs_of_the_page_say_what_the_network_says(run, tmp_path):
    page = api.write_report(run.folder).read_text()
    programs = [html.unescape(text) for text in re.findall(r"<pre>(.*?)</pre>", page, flags=re.DOTALL)]
    assert programs == snippets(export(run).files)
    assert len(programs) == 2, "the device's own, and the one for everybody"
    wide = Image.fromarray(np.random.default_rng(1).integers(0, 256, (90, 150, 3)).astype(np.uint8))
    turned = Image.Exif()
    turned[0x0112] = 6
    wide.save(run.folder / "photo.jpg", exif=turned)
    expected, logits = network_says(run.folder, run.folder / "photo.jpg")
    for program in programs:
        lines = ran(f"{program}print(json.dumps(logits[0].tolist()))", run.folder).splitlines()
        place = next(i for i, line in enumerate(lines) if line.startswith("["))  # MNN has its say before and after
        said, told = lines[place - 1], lines[place]
        far = np.abs(np.array(json.loads(told)) - logits).max() / np.abs(logits).max()
        if "int8" in program:  # weights are random, which is chaotic in eight bits
            assert far < TOLERANCE["int8"]
        else:
            assert (said, far < TOLERANCE["fp32"]) == (expected, True)


def test_the_docs_show_the_same_program():
    assert f"```python\n{snippet()}```" in DOCS.read_text()


def test_every_format_has_a_program_that_is_python_and_several_at_once_are_filled_up():
    for suffix in RUN:
        name = f"model{suffix}"
        compile(snippet(name), name, "exec")
        assert f'"{name}"' in snippet(name)
    assert "np.repeat(" not in snippet("model.xml", ModelFile("fp32", 1))
    assert ", 8, axis=0)" in snippet("model.xml", ModelFile("fp32", 8))
    assert "arithmetic = True" in snippet("model.param", ModelFile("fp16", 1))
    assert "arithmetic = False" in snippet("model.param", ModelFile("fp32", 1))
    assert 'load_model("model.bin")' in snippet("model.param")
    assert '"bf16"' in snippet("model.xml", ModelFile("bf16", 1))


def test_a_part_that_cannot_be_opened_has_none():
    assert len(snippets({"model.onnx": ModelFile(), "model.xml": ModelFile(), "model.bin": ModelFile()})) == 2
