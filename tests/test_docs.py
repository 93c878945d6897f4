"""What the README promises exists; examples run; no address and no path of a machine in any file."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from surgenas.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_every_command_of_the_readme_exists_and_shows_an_example():
    known = {c.name or c.callback.__name__ for c in app.registered_commands}
    for name in (
        *("search", "profile", "predict", "train", "measure", "scale", "operators", "export"),
        *("report", "resume", "describe", "devices", "spaces", "methods", "estimate"),
    ):
        assert name in known
        assert f"`{name}" in README
        result = CliRunner().invoke(app, [name, "--help"])
        assert result.exit_code == 0
        assert f"Example: surgenas {name}" in result.output
        assert "--json" in result.output


def test_commands_of_the_lab_show_an_example():
    for words in (["bench", "search"], ["bench", "ri"], ["compare"]):
        result = CliRunner().invoke(app, [*words, "--help"])
        assert result.exit_code == 0
        assert f"Example: surgenas {' '.join(words)}" in result.output
        assert "--json" in result.output
        assert f"`{' '.join(words)}" in README


def test_links_lead_somewhere():
    for text in (README, (ROOT / "CONTRIBUTING.md").read_text()):
        for target in re.findall(r"\]\(([^)]+)\)", text):
            assert (ROOT / target).exists(), target


def test_no_address_of_a_registry_and_no_path_of_a_machine():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in tracked:
        if name in ("LICENSE", "tests/test_docs.py"):
            continue
        text = (ROOT / name).read_text()
        assert not re.search(r"https?://(?!www\.w3\.org)", text), name
        assert "/work/" not in text, name
        assert "/root/" not in text, name


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_examples_run(example, tmp_path):
    settings = (
        "device='surgenas.testing:toy_device', resolution=16, epochs=1, train_epochs=1, samples=16, batch=256, "
        "predictors=('flops',), accelerator='cpu'"
    )
    script = (
        f"import sys; sys.path.insert(0, {str(example.parent)!r}); from pathlib import Path; "
        f"import {example.stem}; {example.stem}.main(Path({str(tmp_path / 'run')!r}), {settings})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "on the test part" in done.stdout
