"""Does a found network have a Comfort Zone here? By runtime, batch and knob; accuracy before and after where it has.

    python benchmarks/comfort_zone.py --run RUN_FOLDER [--data FOLDER] [--epochs 7] [--knobs width depth] [--keep]

With the images of --data the network and the member picked are trained alike from scratch, for each zone that is not
empty.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import finish

from surgenas import api
from surgenas.cli.console import ConsoleProgress
from surgenas.core.errors import SurgenasError
from surgenas.report.text import scale_table

DEVICES = ("onnxruntime-cpu", "onnxruntime-cpu-batch8", "openvino-cpu", "openvino-cpu-batch8")
KEPT = ("scale", "latency_ms", "grade", "macs", "flops_per_s", "intensity", "inside")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", required=True)
    parser.add_argument("--data")
    parser.add_argument("--epochs", type=int, default=7)
    parser.add_argument("--knobs", nargs="+", default=["width"])
    parser.add_argument("--devices", nargs="+", default=DEVICES)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    zones = {}
    for device in args.devices:
        for knob in args.knobs:
            zones[f"{device}, {knob}"] = zone(args.run, device, knob, args.data, args.epochs)
    finish("comfort_zone", {"epochs": args.epochs if args.data else None, "zones": zones})


def zone(run: str, device: str, knob: str, data: str | None, epochs: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = api.scale(
                run, device, Path(folder), knob=knob, data=data, epochs=epochs, progress=ConsoleProgress()
            )
        except SurgenasError as error:
            return {"error": str(error)}
        print(scale_table(found), file=sys.stderr)
        told = found.to_json()
        points = [{key: point[key] for key in KEPT} for point in told["points"]]
        return {"picked": told["picked"], "accuracy": told["accuracy"], "points": points}


if __name__ == "__main__":
    main()
