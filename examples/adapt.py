"""A network with trained weights, made half as slow on this machine, beside what else could have been done."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import surgenas


def main(photos: str, out: Path, network: str = "resnet18", weights: str = "timm", **settings: Any) -> None:
    """weights: a safetensors file, or timm for its published ones."""
    result = surgenas.adapt(network, weights, photos, out=out, **settings)
    for one in (result.summary.found, *result.summary.instead):
        print(f"{one.name}: {one.accuracy or 0:.1%} at {one.latency_ms or 0:.3f} ms")


if __name__ == "__main__":
    main(sys.argv[1], Path("runs/adapted"))
