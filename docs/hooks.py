"""Pages of the site that are made when it is built: every command with its options, every result that is kept, and what
surprised us of other tools."""

from __future__ import annotations

import ast
import itertools
import json
import re
from pathlib import Path
from typing import Any

import typer.cli
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from surgenas.cli import app

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"
DATED = re.compile(r"(\d{4}-\d\d-\d\d)-(.+)\.json")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Called by mkdocs once it has collected its pages."""
    pages = {"commands.md": commands(), "results.md": results(), "surprises.md": surprises()}
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def commands() -> str:
    """Every command, as its `--help` says it."""
    command = typer.main.get_command(app)
    return typer.cli.get_docs_for_click(obj=command, ctx=typer.Context(command), name="surgenas", title="Commands")


def results() -> str:
    """A section for each benchmark script: the question that it answers, and its newest figures of every name."""
    newest: dict[str, Path] = {}
    for path in sorted((BENCHMARKS / "results").glob("*.json")):  # by date, so that the last one stays
        if found := DATED.fullmatch(path.name):
            newest[found[2]] = path
    stems = sorted((path.stem for path in BENCHMARKS.glob("*.py")), key=len, reverse=True)
    of_script: dict[str, list[Path]] = {}
    for name, path in newest.items():
        script = next((s for s in stems if name.replace("-", "_").startswith(s)), "")
        of_script.setdefault(script, []).append(path)
    sections = [_section(script, of_script[script]) for script in sorted(of_script) if script]
    return "\n\n".join([RESULTS, *sections])


def surprises() -> str:
    """A section for each script of findings/, as its comment tells it."""
    return "\n\n".join([SURPRISES, *(_surprise(path) for path in sorted((ROOT / "findings").glob("*.sh")))])


SURPRISES = """# Surprises

What real tools do on valid input that a good engineer would not guess, each with a script in `findings/` that shows it
in a folder of its own and fails once it changes. What hurt our users is not here: it became a fix, a test, or a table
in the page that it is about."""


def _surprise(path: Path) -> str:
    lines = path.read_text().splitlines()[1:]
    said = [line.removeprefix("#").strip() for line in itertools.takewhile(lambda line: line.startswith("#"), lines)]
    title, *rest = said
    return f"## {title.rstrip('.')}\n" + "\n".join(rest) + f"\n\n`findings/{path.name}`"


RESULTS = """# Results

What every benchmark script found last, with its date, its commit and the machine that it ran on. Seconds and
milliseconds are of shared machines; ratios, counts and accuracies are what to compare. The words about them are in the
pages on methods, measuring and the lab, and in the log."""


def _section(script: str, paths: list[Path]) -> str:
    said = ast.get_docstring(ast.parse((BENCHMARKS / f"{script}.py").read_text())) or ""
    rows = [_row(path) for path in sorted(paths)]
    head = "| figures | date | commit | machine |\n|---|---|---|---|"
    return f"## {script}\n\n{said.split(chr(10) * 2)[0]}\n\n" + "\n".join([head, *rows])


def _row(path: Path) -> str:
    record: dict[str, Any] = json.loads(path.read_text())
    machine = record.get("hardware") or {}
    words = f"{machine.get('processor', '')}, {machine.get('cores', '?')} cores" if machine else ""
    return f"| `benchmarks/results/{path.name}` | {record.get('date', '')} | {record.get('commit') or ''} | {words} |"
