"""Does what is handed on work elsewhere? One trained network as a file for every runtime of this machine, its bytes
compared with those that were measured, and test images classified by the page's own program outside of this project.

    python benchmarks/artefacts.py --run RUN_FOLDER --work FOLDER [--devices NAME ...] [--keep]

RUN_FOLDER is of a finished search on a folder of images with a test part, which is still there. The programs run in
Python environments that are made in FOLDER, with the runtime, NumPy and Pillow alone, in the versions of
constraints.txt.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import finish

from surgenas import api
from surgenas.cli.console import ConsoleProgress
from surgenas.core.errors import SurgenasError
from surgenas.hardware.devices import make_target, shipped_names
from surgenas.report.snippet import snippet
from surgenas.runs.names import USE
from surgenas.runs.results import Delivered, Exported, ModelFile
from surgenas.runs.run import Run
from surgenas.studies.export import HandedOn
from surgenas.tasks.data import eval_batches
from surgenas.tasks.folder import plan_folder

ROOT = Path(__file__).parents[1]
NEEDED = {
    ".onnx": ("onnxruntime",), ".xml": ("openvino",), ".tflite": ("ai-edge-litert",), ".param": ("ncnn",),
    ".mnn": ("MNN",), ".pt2": ("torch",), ".pte": ("torch", "executorch"),
}  # fmt: skip
"""The packages that the program for a file of this suffix needs, beside NumPy and Pillow."""
LEFT_OUT = ("batch8", "threads4", "cuda", "tensorrt", "cuda-graph", "compile-cpu", "example")
"""Ends of names of devices whose file is another's, or that are not here."""
LOOP = """\
import contextlib, io, json, shutil, sys
text = open("program.py").read()
program, said = compile(text, "program.py", "exec"), []
for photo in json.load(open("photos.json")):
    shutil.copy(photo, "photo.jpg")
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard):
        exec(program, {"__name__": "__main__"})
    said.append(heard.getvalue().strip().splitlines()[-1])
assert not [name for name in sys.modules if name.startswith("surgenas")]
json.dump(said, open("said.json", "w"))
"""
"""Runs the program of the page, letter by letter, for one photo after the other."""


def environment(folder: Path, packages: tuple[str, ...]) -> Path:
    """The Python of an environment that holds these packages, NumPy and Pillow; made if it is not there."""
    place = folder / "-".join(("venv", *packages))
    python = place / "bin" / "python"
    if not (place / "made").exists():
        venv.create(place, with_pip=True, clear=True)
        command = [
            python,
            "-I",
            "-m",
            "pip",
            "install",
            "-q",
            "-c",
            ROOT / "constraints.txt",
            "numpy",
            "pillow",
            *packages,
        ]
        subprocess.run(command, check=True)
        (place / "made").touch()
    return python


def hand_on(run: Run, device: str, folder: Path) -> HandedOn:
    """Export the run's network for a device, measured there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    to = folder / f"net{make_target(device).suffixes[0]}"
    return api.export(run.folder, to, device, measured=True, progress=ConsoleProgress())


def classify(python: Path, folder: Path, name: str, file: ModelFile, photos: list[Path]) -> tuple[list[str], float]:
    """What the program for a file says of photos, run by another Python in a folder of its own; and its seconds."""
    alone = folder / "alone"
    alone.mkdir()
    for part in folder.glob("net.*"):
        shutil.copy(part, alone)
    (alone / f"{name}.json").rename(alone / USE)
    (alone / "program.py").write_text(snippet(name, file))
    (alone / "photos.json").write_text(json.dumps([str(photo.resolve()) for photo in photos]))
    start = time.monotonic()
    done = subprocess.run([python, "-I", "-c", LOOP], cwd=alone, env={}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SurgenasError(f"the program fails: {' '.join(done.stderr.split()[-40:])}")
    return json.loads((alone / "said.json").read_text()), time.monotonic() - start


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def row(
    run: Run, device: str, folder: Path, photos: list[Path], truth: list[str], network: list[str]
) -> dict[str, Any]:
    """All that is to be shown of a device. truth: the classes; network: what PyTorch says here, with our own code."""
    found = hand_on(run, device, folder / device)
    delivered, files = found.delivered, [Path(name) for name in found.files[:-1]]
    assert isinstance(delivered, Delivered), "a device was named"
    python = environment(folder, NEEDED[files[0].suffix])
    said, seconds = classify(python, folder / device, files[0].name, delivered.file, photos)
    freeze = [python, "-I", "-m", "pip", "list", "--format=freeze"]
    packages = subprocess.run(freeze, capture_output=True, text=True, check=True).stdout.split()
    right = float(np.mean([a == b for a, b in zip(said, truth, strict=True)]))
    assert found.cost is not None, "it was measured"
    return {
        "files": {path.name: path.stat().st_size for path in files},
        "bytes_are_those_measured": {path.name: digest(path) for path in files} == dict(delivered.digests),
        "runtime": delivered.file.runtime,
        "precision": delivered.file.precision,
        "difference": delivered.difference,
        "accuracy_printed": delivered.accuracy,
        "accuracy_of_the_program": right,
        "same_class_as_pytorch": float(np.mean([a == b for a, b in zip(said, network, strict=True)])),
        "ms": found.cost.ms,
        "grade": found.cost.ms_grade,
        "lines": len(snippet(files[0].name, delivered.file).splitlines()),
        "seconds_an_image": round(seconds / len(photos), 3),
        "packages": sorted(packages, key=str.lower),
    }


def of_the_run(run: Run) -> dict[str, Any]:
    """The run's own files against what its journal says of them, when they were written and when they were measured."""
    exported = run.result(Exported)
    written, measured = ((run.journal.done(step) or {})["digests"] for step in ("export", "verify"))
    return {
        "device": run.config.target.name,
        "delivered": exported.to_json()["delivered"] if exported else None,
        "files": {name: (run.folder / name).stat().st_size for name in measured},
        "journal_and_disk_agree": all(
            known == written[name] == digest(run.folder / name) for name, known in measured.items()
        ),
    }


def classes_by_pytorch(run: Run) -> list[str]:
    """What the trained module says of the test part."""
    network = api.load(run.folder)
    with torch.no_grad():
        parts = [network(images).argmax(1) for images, _ in eval_batches(run.data, run.data.test, 256)]
    return [run.data.classes[i] for i in torch.cat(parts).tolist()]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", required=True, type=Path)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--devices", nargs="+", default=[n for n in shipped_names() if not n.endswith(LEFT_OUT)])
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    run = Run.open(args.run, ConsoleProgress())
    test = plan_folder(Path(run.config.data.source)).test or {}
    photos = [path for paths in test.values() for path in paths]
    truth = [name for name, paths in test.items() for _ in paths]
    assert len(photos) == len(run.data.test) > 0, "each photo of the test part, in its order"
    network, rows = classes_by_pytorch(run), {}
    for device in args.devices:
        try:
            rows[device] = row(run, device, args.work.resolve(), photos, truth, network)
        except SurgenasError as error:
            rows[device] = {"error": str(error)}
        print(device, {k: v for k, v in rows[device].items() if k != "packages"}, file=sys.stderr, flush=True)
    finish("artefacts", {"images": len(photos), "run": of_the_run(run), "devices": rows})


if __name__ == "__main__":
    main()
