"""SIGKILL at random moments of a short search, resumed to the end: is every bit as if nothing had happened?

    python benchmarks/kill_resume.py [--adapt METHOD] [--kills N] [--keep]

The device is simulated, so that latencies cannot differ; everything else is the real thing. --adapt: the same of
`surgenas adapt`, by a method, of timm's test_resnet with weights of no meaning.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import finish

from surgenas.nn.named import make_network
from surgenas.nn.weights import save_weights
from surgenas.runs.journal import Journal

SETTINGS = [
    "--device", "surgenas.testing:toy_device", "--resolution", "16", "--batch", "128", "--samples", "24",
    "--epochs", "4", "--train-epochs", "3", "--accelerator", "cpu",
]  # fmt: skip
OF_ADAPT = [
    "--device", "surgenas.testing:toy_device", "--resolution", "24", "--batch", "128", "--samples", "24",
    "--epochs", "2", "--train-epochs", "3", "--accelerator", "cpu",
]  # fmt: skip


def command(*args: str) -> list[str]:
    return [sys.executable, "-c", "from surgenas.cli import main; main()", *args]


def beginning(method: str, folder: Path) -> list[str]:
    """The words of the job. method: of `adapt`; empty for a search."""
    if not method:
        return ["search", *SETTINGS]
    weights = folder / "weights.safetensors"
    save_weights(weights, make_network("test_resnet", 10, 24).state_dict())
    return ["adapt", "test_resnet", "--weights", str(weights), "--method", method, *OF_ADAPT]


def going_on(begin: list[str], run: Path) -> list[str]:
    """From where it was killed; from the start, if that was before there was anything to go on from."""
    begun = (run / "config.json").exists()
    return command("resume", str(run)) if begun else command(*begin, "--out", str(run))


def end_of(run: Path) -> dict[str, object]:
    """Digests of what came out, and the history without its times."""
    journal = Journal(run / "journal.jsonl")
    files = [run / "architecture.json", run / "model.onnx", *sorted(run.glob("*.safetensors"))]
    digests = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    history = [str(e["summary"]) for e in journal.all("epoch")]
    trained = [(e["network"], e["epoch"], e["loss"], e["accuracy"]) for e in journal.all("trained")]
    return {"files": digests, "history": history, "trained": trained}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--adapt", default="", metavar="METHOD")
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        whole, broken = Path(folder) / "whole", Path(folder) / "broken"
        begin = beginning(args.adapt, Path(folder))
        start = time.monotonic()
        subprocess.run(command(*begin, "--out", str(whole)), check=True, capture_output=True)
        length = time.monotonic() - start
        killed: list[dict[str, float]] = []
        while len(killed) < args.kills:
            process = subprocess.Popen(going_on(begin, broken), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            moment = rng.uniform(4.0, 4.0 + length / 6)  # the first seconds only import
            try:
                process.wait(moment)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                events = Journal(broken / "journal.jsonl").events if (broken / "journal.jsonl").exists() else []
                killed.append({"after_s": round(moment, 2), "events": len(events)})
                continue
            compare(whole, broken)  # it finished first: check, and start over
            subprocess.run(["rm", "-rf", str(broken)], check=True)
        subprocess.run(going_on(begin, broken), check=True, capture_output=True)
        compare(whole, broken)
        finish(
            f"kill_resume-{args.adapt}" if args.adapt else "kill_resume",
            {"kills": killed, "bit_equal": end_of(whole) == end_of(broken), "uninterrupted_seconds": round(length, 1)},
        )


def compare(whole: Path, broken: Path) -> None:
    assert end_of(whole) == end_of(broken), "the resumed run ended differently"


if __name__ == "__main__":
    main()
