"""Pages of the site that are made when it is built; `make docs` builds it, and fails for a link that leads nowhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from surgenas.cli import app

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def hooks():
    pytest.importorskip("mkdocs")
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_command_stands_on_the_page_with_its_example(hooks):
    text = hooks.commands()
    for command in app.registered_commands:
        name = command.name or command.callback.__name__
        assert f"## `surgenas {name}`" in text
        assert f"Example: surgenas {name}" in text
    assert "### `surgenas bench ri`" in text


def test_every_result_that_is_kept_belongs_to_a_script_that_says_what_it_asks(hooks):
    text = hooks.results()
    names = {path.name[11:] for path in (ROOT / "benchmarks" / "results").glob("*.json")}
    assert {name[11:] for name in re.findall(r"`benchmarks/results/([^`]+)`", text)} == names
    sections = re.findall(r"^## (\w+)\n\n(.*)$", text, re.MULTILINE)
    assert len(sections) > 40
    assert all((ROOT / "benchmarks" / f"{script}.py").exists() and said for script, said in sections)


def test_every_surprise_is_told_with_the_script_that_shows_it(hooks):
    text = hooks.surprises()
    scripts = sorted(path.name for path in (ROOT / "findings").glob("*.sh"))
    assert re.findall(r"^`findings/(.*)`$", text, re.MULTILINE) == scripts
    assert len(re.findall(r"^## \w+ [\d.]+", text, re.MULTILINE)) == len(scripts), "each names a tool and its version"


def test_every_page_is_in_the_navigation():
    said = (ROOT / "mkdocs.yml").read_text()
    for page in (ROOT / "docs").rglob("*.md"):
        assert f": {page.relative_to(ROOT / 'docs')}" in said
