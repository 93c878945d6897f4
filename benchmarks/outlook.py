"""How well does a run say how long the rest will take? After every step: seconds left as said, and as it was.

    python benchmarks/outlook.py RUN ... [--keep]

Of finished runs that were not interrupted. Each is read again as it stood after each step.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from common import finish

from surgenas.core.progress import Progress
from surgenas.runs.outlook import seconds_left
from surgenas.runs.run import Run

LEAST_S = 10.0
"""With less time left than this, a share says nothing."""


def told(folder: Path) -> list[dict[str, Any]]:
    """Step, seconds left as said after it, and seconds that the later steps took."""
    lines = (folder / "journal.jsonl").read_text().splitlines(keepends=True)
    events = [json.loads(line[line.index("{") :]) for line in lines]
    rows = []
    for i, event in enumerate(events):
        if event["event"] != "done":
            continue
        with tempfile.TemporaryDirectory() as name:
            for path in folder.iterdir():  # a step is done as long as its files are there
                if path.name != "journal.jsonl":
                    (Path(name) / path.name).symlink_to(path.resolve())
            (Path(name) / "journal.jsonl").write_text("".join(lines[: i + 1]))
            said_s = seconds_left(Run.open(Path(name), Progress()))
        was_s = sum(later["seconds"] for later in events[i:] if later["event"] == "spent")
        if said_s is not None and was_s >= LEAST_S:
            rows.append({"after": event["step"], "said_s": round(said_s, 1), "was_s": round(was_s, 1)})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    rows = {run.name: told(run) for run in args.runs}
    ratios = [row["said_s"] / row["was_s"] for found in rows.values() for row in found]
    within = sum(abs(ratio - 1) <= 1 / 3 for ratio in ratios) / len(ratios)
    finish("outlook", {"runs": rows, "within a third": within, "ratios": [min(ratios), max(ratios)]})


if __name__ == "__main__":
    main()
