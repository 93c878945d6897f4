"""A search that may be cut off at any moment (Ctrl-C, a reboot): run this again, and it goes on to the same end."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import surgenas


def main(out: Path, **settings: Any) -> None:
    """settings: count when it begins."""
    begun = (out / "config.json").exists()
    result = surgenas.resume(out) if begun else surgenas.search(out=out, **settings)
    print(f"{'went on' if begun else 'begun and done'}: {result.accuracy:.1%} at {result.latency_ms:.3f} ms")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/whenever"))
