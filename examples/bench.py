"""Is a search better than random draws? On a table that knows the answer for all networks of a space."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from surgenas import api


def main(space: str, table: str, out: Path, validation: str = "val", test: str = "test", **how: Any) -> None:
    found = api.bench(space, table, validation, test, out=out, **how)
    for row in found.methods:
        print(f"{row.method}: regret {row.final_regret.median:.2f} points after {found.budget} queries")
    print(found.report)


if __name__ == "__main__":
    main("macro", sys.argv[1], Path("runs/bench"), methods=("weaknas", "local"), budget=60, seeds=5)
