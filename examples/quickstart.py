"""A search on the embedded digits, as short as it can be, and the found network used from PyTorch."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

import surgenas


def main(out: Path, **settings: object) -> None:
    result = surgenas.search(out=out, **settings)  # type: ignore[arg-type]
    model = surgenas.load(result.run)
    logits = model(torch.zeros(1, 3, resolution(result), resolution(result)))
    print(f"{result.latency_ms:.3f} ms, {result.accuracy:.1%} on the test part, {logits.shape[1]} classes")


def resolution(result: surgenas.Result) -> int:
    """Height and width of the images that the network was made for."""
    return int(dict(result.architecture.space.settings)["resolution"])


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/quickstart"))
