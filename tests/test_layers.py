"""A room imports rooms below it, never sideways, never up (docs/architecture.md)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "surgenas"
LEVEL = {
    "core": 0, "nn": 1, "tasks": 1, "predictors": 1, "spaces": 2, "hardware": 3, "training": 3, "methods": 4,
    "engine": 5, "testing": 5, "runs": 6, "studies": 7, "report": 8, "api": 9, "__init__": 10, "cli": 10,
}  # fmt: skip
FILES = sorted(SOURCE.rglob("*.py"))


def imports(path: Path) -> set[str]:
    """surgenas modules that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("surgenas"):
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("surgenas")}
    return found


def room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_go_down(path):
    own = room(path)
    for module in imports(path):
        parts = module.split(".")
        if len(parts) > 1 and parts[1] in LEVEL and parts[1] != own:
            assert LEVEL[parts[1]] < LEVEL[own], f"{own} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_file_says_what_it_is_and_stays_small(path):
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), "a file opens with one honest sentence"
    assert len(text.splitlines()) <= 300
