"""How well are latencies of a new device predicted from ten measurements, where other devices are known?

A table is a CSV file with a row for each network and a column of milliseconds for each device, as `surgenas predict
--help` says.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from surgenas import api


def main(space: str, table: str, device: str, *known: str, **how: Any) -> None:
    """device, known: columns of the table."""
    if known:
        how |= {"pretrain": Path(table), "pretrain_columns": known}
    found = api.predict_table(space, table, (device,), train=(10,), **how)
    for row in found.results:
        print(f"{row.predictor}: Kendall tau {row.kendall.median:.2f}, {row.within_10.median:.0%} within a tenth")


if __name__ == "__main__":
    main("nasbench201", *sys.argv[1:])
