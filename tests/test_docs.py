"""What the README promises exists; no address and no path of a machine in any file."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from typer.testing import CliRunner

from surgenas.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
RETIRED = {
    r"\bsheets?\b": "a numbered heading, as docs/measurement.md, 6",
    r"\bprotocol, points?\b": "a numbered heading, as docs/measurement.md, 6",
    r"\(sections? \d": "a numbered heading, as docs/measurement.md, 6",
    r"\bpipelines?\b": "run, step or engine",
    r"\bsurgenas\.(listing|lab|ending|console)\b": "where it is now: studies, cli (docs/architecture.md)",
    r"\bcheck_black_?box\b": "check_search",
}
"""Words that were given up, and what to say instead (docs/glossary.md)."""
HISTORY = ("docs/log.md", "CHANGELOG.md", "benchmarks/results/")
"""Files that tell what was, in the words of then."""


def test_every_command_of_the_readme_exists_and_shows_an_example():
    known = {c.name or c.callback.__name__ for c in app.registered_commands}
    for name in (
        *("search", "profile", "predict", "train", "measure", "scale", "operators", "export", "classify"),
        *("log", "report", "resume", "describe", "devices", "spaces", "methods", "estimate"),
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


def tracked(*suffixes: str) -> dict[str, str]:
    """The text of every tracked file whose name ends so, by its path in the repository; no pictures, nor this file."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    names = [name for name in listed if name.endswith(suffixes) and name != "tests/test_docs.py"]
    names = [name for name in names if not name.endswith(".png")]
    return {name: (ROOT / name).read_text() for name in names if (ROOT / name).exists()}


def joined(text: str) -> str:
    """The text with its lines joined: a citation may be broken between lines, also of a comment."""
    return re.sub(r"\s*\n\s*(# )?", " ", text)


def test_links_lead_somewhere():
    for name, text in tracked(".md").items():
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
            assert ((ROOT / name).parent / target).exists(), f"{name} links to {target}"


def test_every_document_that_is_mentioned_exists():
    for name, text in tracked(".md", ".py").items():
        for target in re.findall(r"docs/[\w/-]+\.md", text):
            assert (ROOT / target).exists(), f"{name} mentions {target}"


def test_every_citation_leads_to_a_numbered_heading():
    """`docs/measurement.md, 6` is the heading "## 6. ..." there; `docs/log.md, 2026-11-26` a day of the log."""
    found = 0
    for name, text in tracked(".md", ".py").items():
        for target, place in re.findall(r"(docs/[\w/-]+\.md), (\d{4}-\d\d-\d\d|\d+)", joined(text)):
            known = (ROOT / target).read_text()
            if "-" in place:
                assert place in known, f"{name} cites {target}, {place}"
            else:
                found += 1
                assert re.search(rf"^## {place}\. ", known, re.MULTILINE), f"{name} cites {target}, {place}"
    assert found > 30, "citations are written as docs/measurement.md, 6"


def test_numbered_headings_count_from_one():
    for name, text in tracked(".md").items():
        numbers = [int(number) for number in re.findall(r"^## (\d+)\. ", text, re.MULTILINE)]
        assert numbers == list(range(1, len(numbers) + 1)), name


def test_retired_words_stay_away():
    for name, text in tracked(".md", ".py", ".html", ".toml").items():
        for word, instead in RETIRED.items():
            found = re.search(word, joined(text), re.IGNORECASE)
            assert not found or name.startswith(HISTORY), f"{name}: {found and found[0]!r}; say {instead}"


def test_no_address_of_a_registry_and_no_path_of_a_machine():
    for name, text in tracked("").items():
        if name == "LICENSE":
            continue
        of_others = name.endswith(".min.js")  # names the homes of its own parts
        assert not re.search(
            r"https?://[^/]*(npm|pypi|registry)" if of_others else r"https?://(?!www\.w3\.org)", text
        ), name
        assert "/work/" not in text, name
        assert "/root/" not in text, name


def test_lines_are_wrapped():
    """But for tables, programs and pictures."""
    for name, text in tracked(".md").items():
        prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL).splitlines()
        long = [line for line in prose if len(line) > 120 and not line.startswith(("|", "    ", "!["))]
        assert not long, f"{name}: {long[:1]}"
