"""A room imports rooms below it, never sideways, never up (docs/architecture.md)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "surgenas"
LEVEL = {
    "core": 0, "nn": 1, "tasks": 1, "predictors": 1, "loggers": 1, "spaces": 2, "hardware": 3, "training": 3,
    "accuracy": 2, "methods": 4, "engine": 5, "testing": 5, "runs": 6, "studies": 7, "report": 8, "api": 9,
    "__init__": 10, "cli": 10, "__main__": 11,
}  # fmt: skip
HARDWARE = {
    "context": 0, "onnx_file": 0, "runtimes": 1, "tflite": 2, "target": 2, "timed": 3, "estimated": 3, "costs": 4,
    "devices": 5, "worker": 5,
}  # fmt: skip
RUNS = {
    "results": 0, "config": 0, "allotment": 0, "scale": 0, "journal": 1, "workforce": 1, "checkpoint": 0, "images": 0,
    "run": 2, "model_use": 2,
    "limit": 3, "asked": 3, "foreseen": 1, "resources": 3, "training": 4, "summary": 5, "sampled": 4, "pool": 4,
    "measured": 4, "found": 4,
    "front": 4, "slowdown": 4, "whole": 4, "nearest": 5, "pace": 5,
    "story": 5, "searching": 5, "total_cost": 6, "checks": 6, "delivery": 5, "logged": 6,
    "following": 7, "steps": 7, "outlook": 8, "outcome": 9, "flow": 10,
}  # fmt: skip
FILES = sorted(SOURCE.rglob("*.py"))
TESTS = Path(__file__).parent


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


@pytest.mark.parametrize(("house", "level"), [("hardware", HARDWARE), ("runs", RUNS)])
def test_imports_go_down_inside_a_room_of_several_floors(house, level):
    """A measurement is a cost, but the arithmetic of costs of both kinds stands above both."""
    for path in sorted((SOURCE / house).rglob("*.py")):
        own = path.relative_to(SOURCE / house).parts[0].removesuffix(".py")
        for module in imports(path):
            parts = module.split(".")
            if own == "__init__" or parts[1:2] != [house] or len(parts) < 3 or parts[2] not in level:
                continue
            other = parts[2]
            assert level[other] <= level[own], f"{house}/{own} imports {module}"
            assert other == own or level[other] < level[own], f"{house}/{own} imports {module} sideways"


def test_steps_never_import_each_other():
    for path in (SOURCE / "runs" / "steps").glob("*.py"):
        for module in imports(path):
            assert not module.startswith("surgenas.runs.steps."), f"{path.name} imports {module}"


def test_no_step_names_a_method_or_a_space():
    """They ask for needs and capabilities: everything else would be a corridor."""
    for path in (SOURCE / "runs" / "steps").glob("*.py"):
        for module in imports(path):
            room, _, rest = module.removeprefix("surgenas.").partition(".")
            known = ("base", "selection") if room == "methods" else ("yardstick",)
            if room in ("methods", "spaces") and rest:
                assert rest.startswith(known), f"{path.name} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_file_says_what_it_is_and_stays_small(path):
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), "a file opens with one honest sentence"
    assert len(text.splitlines()) <= 300


def test_every_module_has_a_file_of_tests_of_its_own():
    """Of its name, in the folder of the same path; steps of a run too."""
    modules = [path.relative_to(SOURCE) for path in FILES if path.name not in ("__init__.py", "__main__.py")]
    assert Path("runs/steps/search.py") in modules
    lacking = [str(path) for path in modules if not (TESTS / path.with_name(f"test_{path.name}")).is_file()]
    assert lacking == []
