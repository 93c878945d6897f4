"""Which of two networks is faster here, and can they be told apart at all?"""

from __future__ import annotations

import sys
from typing import Any

from surgenas import api


def main(*networks: str, **how: Any) -> None:
    """networks: ONNX files, run folders, architecture files, names of timm models."""
    for row in api.measure(networks, **how).measurements:
        if row.cost is None:
            print(f"{row.name}: {row.error}")
        else:
            print(f"{row.name}: {row.cost.ms:.3f} ms, place {row.rank}")


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["mobilenetv3_small_050", "lcnet_050"]))
