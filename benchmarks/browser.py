"""Do pages look right in a real browser? Size, errors, empty figures, and width on a desk and on a phone.

    python benchmarks/browser.py PAGE_OR_RUN ... [--browser chromium] [--shots FOLDER]

Needs a Chromium or Chrome. Ends in 1 if a page is larger than 1.5 MB, says an error, has a figure without data, or
does not fit the width of the window.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from html import unescape
from pathlib import Path
from typing import Any

SIZES = {"desk": (1280, 900), "phone": (390, 844)}
"""Width and height of the windows in pixels. No window is narrower than 500, so that the phone is a frame in one."""
LARGEST = 1.5e6
"""Bytes."""
PROBE = """<script>addEventListener("load", () => setTimeout(() => {
  const page = document.getElementById("framed").contentDocument;
  const figures = [...page.querySelectorAll(".js-plotly-plot")];
  const isEmpty = figure => !figure.data.some(trace => trace.x && trace.x.length);
  const told = {width: page.documentElement.scrollWidth, figures: figures.length,
    empty: figures.filter(isEmpty).map(figure => figure.layout.yaxis.title.text)};
  const note = document.createElement("pre"); note.id = "told"; note.textContent = JSON.stringify(told);
  document.body.append(note);
}, 500))</script>"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", type=Path, nargs="+")
    parser.add_argument("--browser", default="chromium")
    parser.add_argument("--shots", type=Path, help="where screenshots are kept")
    args = parser.parse_args()
    faults = 0
    for given in args.pages:
        path = (given / "report.html" if given.is_dir() else given).resolve()
        rows = {name: look(args.browser, path, size, args.shots) for name, size in SIZES.items()}
        said = [f"{path.stat().st_size / 1e6:.2f} MB"] * (path.stat().st_size > LARGEST)
        said += [f"{name}: {fault}" for name, row in rows.items() for fault in row["faults"]]
        shown = rows["desk"]["figures"]
        print(f"{given}: {path.stat().st_size / 1e6:.2f} MB, {shown} figures; {'; '.join(said) or 'no fault'}")
        faults += len(said)
    sys.exit(1 if faults else 0)


def look(browser: str, path: Path, size: tuple[int, int], shots: Path | None) -> dict[str, Any]:
    """What a browser says of the page in a frame of this size. A file may look into no frame of another: hence one
    folder and the flag."""
    width, height = size
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "page.html").write_bytes(path.read_bytes())
        outer = Path(folder) / "outer.html"
        frame = f'<iframe id="framed" src="page.html" style="width:{width}px;height:{height}px;border:0"></iframe>'
        outer.write_text(f"<!doctype html><meta charset=utf-8><body style='margin:0'>{frame}{PROBE}")
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
                   "--disable-background-networking", "--hide-scrollbars", "--enable-logging=stderr",
                   "--virtual-time-budget=8000", f"--user-data-dir={folder}/profile",
                   f"--window-size={width},{height}"]  # fmt: skip
        done = subprocess.run(
            [*command, "--dump-dom", outer.as_uri()], check=True, capture_output=True, text=True, timeout=120
        )
        if shots:
            shots.mkdir(parents=True, exist_ok=True)
            shot = shots / f"{path.parent.name}-{path.stem}-{width}.png"
            subprocess.run([*command, f"--screenshot={shot}", outer.as_uri()], capture_output=True, timeout=120)
    found = re.search(r'<pre id="told">(.*?)</pre>', done.stdout)
    if not found:
        return {"figures": 0, "faults": ["the page did not load"]}
    told = json.loads(unescape(found[1]))
    faults = re.findall(r'CONSOLE[^"]*"(.*?)"', done.stderr)
    faults += [f"no data in the figure of {name}" for name in told["empty"]]
    faults += [f"{told['width']} px wide in a window of {width}"] * (told["width"] > width)
    return {"figures": told["figures"], "faults": faults}


if __name__ == "__main__":
    main()
