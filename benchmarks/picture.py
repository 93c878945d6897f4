"""The picture in the README: the first screen of a run's report, as a browser draws it.

    python benchmarks/picture.py RUN [--browser chromium] [--out docs/report.png]

Needs a Chromium or Chrome. Colours are reduced to 64, so that the file stays small.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

WIDTH, HEIGHT, COLOURS = 1000, 760, 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--browser", default="chromium")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "report.png")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        command = [args.browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                   f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={shot}"]  # fmt: skip
        subprocess.run(
            [*command, (args.run / "report.html").resolve().as_uri()], check=True, capture_output=True, timeout=120
        )
        with Image.open(shot) as image:
            image.convert("RGB").quantize(COLOURS).save(args.out, optimize=True)
    print(args.out, args.out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
