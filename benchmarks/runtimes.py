"""One table: well-known networks and a found one on every runtime of this machine, and what int8 costs in accuracy.

    python benchmarks/runtimes.py --run RUN_FOLDER [--resolution 224] [--devices NAME ...] [--keep]

RUN_FOLDER is of a finished search whose images are still there; it has its own resolution.
"""

from __future__ import annotations

import argparse
import sys

from common import finish

from surgenas import api
from surgenas.cli.console import ConsoleProgress
from surgenas.core.errors import SurgenasError
from surgenas.hardware.devices import shipped_names
from surgenas.report.measure_text import measurement_table

NETWORKS = ("mobilenetv2_100", "mobilenetv3_large_100", "efficientnet_b0")
KEPT = ("name", "evidence", "ms", "half_width", "grade", "p90_ms", "to_mobilenetv2", "model_bytes", "max_difference",
        "accuracy", "floor", "error")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", required=True)
    parser.add_argument("--resolution", type=int, default=224)
    parser.add_argument("--devices", nargs="+", default=[n for n in shipped_names() if not n.endswith("batch8")])
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    table = {}
    for device in args.devices:
        rows = []
        for what, resolution in ((NETWORKS, args.resolution), ((args.run,), 0)):
            try:
                found = api.measure(what, [device], resolution=resolution, progress=ConsoleProgress())
            except SurgenasError as error:
                rows.append({"name": ", ".join(what), "error": str(error)})
                continue
            print(measurement_table(found), file=sys.stderr)
            rows += [{key: row[key] for key in KEPT if key in row} for row in found.to_json()["measurements"]]
        table[device] = rows
    finish("runtimes", {"resolution": args.resolution, "devices": table})


if __name__ == "__main__":
    main()
