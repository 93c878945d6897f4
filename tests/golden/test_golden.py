"""What others parse stays as it is: every command's flags, and the keys and types of every --json output.

After a change that is meant: python -m tests.golden.test_golden
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from surgenas.cli import app
from surgenas.core import moves
from surgenas.runs.config import make_config
from surgenas.runs.results import Profiled
from surgenas.runs.steps.export import export
from surgenas.spaces.macro import Macro
from surgenas.spaces.nasbench201 import NASBench201
from surgenas.spaces.single_path import SinglePath
from surgenas.studies.improvement import BESIDE
from tests.runs.written import ROOFLINE, TOY, architecture_file, estimated, new_run, pictures, trained, written_run

HERE = Path(__file__).parent
AGAIN = "meant? `python -m tests.golden.test_golden` writes the files anew"
BENCH = "--table macro.csv --validation val --test test --space macro --methods local,nsga2 --budget 12 --seeds 2"
COMMANDS = {
    "search": "resume run --json",
    "search-on-paper": "resume paper --json",
    "dry-run": f"search --dry-run --data pictures --device {TOY} --resolution 16 --epochs 1 --batch 48 --json",
    "profile": f"profile --data pictures --device {TOY} --resolution 16 --samples 6 --out profiled --json",
    "predict": "predict run --json",
    "predict-table": "predict --table cells.csv --train 10 --predictor ridge --predictor flops --json",
    "measure": f"measure arch.json none.json --device {TOY} --layers --json",
    "measure-on-paper": "measure arch.json --device paper.toml --layers --json",
    "scale": f"scale arch.json --device {TOY} --knob resolution --most 1.5 --json",
    "operators": f"operators --device {TOY} --space shuffle --resolution 16 --keep 2 --json",
    "estimate": "estimate --table table.json --arch single.json --json",
    "describe": "describe --arch arch.json --json",
    "devices": "devices --json",
    "doctor": "doctor --device paper.toml --json",
    "spaces": "spaces --json",
    "methods": "methods --json",
    "compare": "compare run other --json",
    "classify": "classify exported pictures/dark/0.png --json",
    "log": "log run --to lightning_fabric.loggers:CSVLogger --json",
    "bench-search": f"bench search {BENCH} --latency-table macro.csv --latency ms --limit 9ms --json",
    "bench-ri": f"bench ri --methods surgenas --seeds 2 --device {TOY} --resolution 16 --json",
}
"""The search that search tells of was written by hand: what it prints is what `resume` prints."""
MAPS = {
    *("seconds", "layers", "devices", "others", "missed", "methods", "predictors", "values", "needs", "context"),
    "digests",
    "points",
}
"""Keys whose own keys are names; one structure stands for all of them."""
WHOLE = {"devices", "spaces"}
"""Answers that are maps of names as a whole."""


# --- flags


def flags() -> dict[str, list[str]]:
    """Every command with its arguments and flags."""
    return dict(_flags(typer.main.get_command(app), ""))


def _flags(command: Any, name: str) -> Iterator[tuple[str, list[str]]]:
    if hasattr(command, "commands"):
        for part, inner in command.commands.items():
            yield from _flags(inner, f"{name} {part}".strip())
        return
    said = [", ".join([*p.opts, *p.secondary_opts]) if p.opts[0][0] == "-" else p.name.upper() for p in command.params]
    yield name, sorted(said)


def test_no_flag_is_lost_or_renamed():
    assert flags() == json.loads((HERE / "flags.json").read_text()), AGAIN


# --- keys


def structure(value: Any, *, of_names: bool = False) -> Any:
    """Keys and types; of a list what its items have in common and what some of them have."""
    if isinstance(value, dict):
        inner = {key: structure(item, of_names=key in MAPS and isinstance(item, dict)) for key, item in value.items()}
        return {"*": merged(list(inner.values()))} if of_names and inner else inner
    if isinstance(value, list):
        return [merged([structure(item) for item in value])] if value else []
    if isinstance(value, bool) or value is None:
        return {True: "truth", False: "truth", None: "null"}[value]
    return "text" if isinstance(value, str) else "number"


def merged(parts: list[Any]) -> Any:
    """One structure for many: a key that some lack has a question mark, kinds that differ stand beside each other."""
    if all(isinstance(part, dict) for part in parts):
        keys = dict.fromkeys(key for part in parts for key in part)
        return {
            key + ("" if all(key in part for part in parts) else "?"): merged([p[key] for p in parts if key in p])
            for key in keys
        }
    if all(isinstance(part, list) for part in parts):
        return [merged([item for part in parts for item in part])] if any(parts) else []
    kinds = {json.dumps(part) if not isinstance(part, str) else part for part in parts}
    return " or ".join(sorted(kinds))


def prepared(folder: Path) -> None:
    """Everything that the commands are about."""
    pictures(folder / "pictures", each=20)
    architecture_file(folder / "arch.json")
    architecture_file(folder / "single.json", SinglePath().parse("k5e6"))
    (folder / "none.json").write_text((folder / "arch.json").read_text().replace("k3e3", "k7e6"))
    (folder / "paper.toml").write_text(ROOFLINE)
    row = {"k3e3": 1.0, "k3e6": 2.0, "k5e3": 1.5, "k5e6": 3.0}
    (folder / "table.json").write_text(json.dumps({"fixed": 10.0, **{str(i): row for i in range(1, 21)}}))
    rng, macro, cells = np.random.default_rng(0), Macro(), NASBench201()
    rows = [(moves.indices(macro, arch), 50 + rng.random()) for arch in moves.enumerate_all(macro)]
    lines = [f"{''.join(map(str, path))},{score},{score + 1},{1 + sum(path)}" for path, score in rows]
    (folder / "macro.csv").write_text("\n".join(["arch,val,test,ms", *_alike(macro, lines)]))
    archs = list({moves.sample(cells, rng): None for _ in range(30)})
    told = [f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|" for a, b, c, d, e, f in (arch.genes for arch in archs)]
    (folder / "cells.csv").write_text("\n".join(["arch,x_ms", *(f"{text},{1 + rng.random()}" for text in told)]))
    written_run(folder / "run").record("profile", Profiled(16, (None, 0.1)))
    written_run(folder / "other", 0.8)
    costs = {"found": estimated(2.0), "MobileNetV2": estimated(3.0)}
    written_run(folder / "paper", beside={"MobileNetV2": 0.8}, costs=costs, device=str(folder / "paper.toml"))
    exported = trained(new_run(folder / "exported", data=str(folder / "pictures")))
    exported.record("export", export(exported))
    how = {**dict.fromkeys(BESIDE, 1), "device": TOY, "resolution": 16}
    assert make_config(**how), "as bench ri says it"
    written_run(folder / "ri" / "digits-surgenas-0", 0.9, **how)
    written_run(folder / "ri" / "digits-surgenas-1", 0.92, **how, seed=1, latency_ms=2.5)


def _alike(space: Macro, lines: list[str]) -> list[str]:
    """Isomorphic networks have equal rows."""
    first: dict[str, str] = {}
    found = []
    for line in lines:
        text, cells = line.split(",", 1)
        found.append(f"{text},{first.setdefault(moves.canonical_key(space, space.parse(text)), cells)}")
    return found


def answer(name: str) -> Any:
    """What a command says, in the folder that was prepared."""
    result = CliRunner().invoke(app, COMMANDS[name].split(), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    if name == "devices":  # the others may not be installed here
        found = {"onnxruntime-cpu": found["onnxruntime-cpu"]}
    return structure(found, of_names=name in WHOLE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("golden")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SURGENAS_HOME", str(path / "home"))
        prepared(path)
    return path


@pytest.mark.parametrize("name", COMMANDS)
def test_no_key_of_json_is_lost_renamed_or_of_another_type(folder, name):
    with chdir(folder):
        assert answer(name) == json.loads((HERE / f"{name}.json").read_text()), AGAIN


def test_a_structure_tells_keys_and_types_and_no_values():
    value = {"a": [{"x": 1, "y": None}, {"x": 2.5}], "seconds": {"p": 1.0, "q": 2}, "b": True, "c": [], "d": "t"}
    expected = {"a": [{"x": "number", "y?": "null"}], "seconds": {"*": "number"}, "b": "truth", "c": [], "d": "text"}
    assert structure(value) == expected
    assert merged(["number", "null"]) == "null or number"


def write_golden_files() -> None:
    (HERE / "flags.json").write_text(json.dumps(flags(), indent=1) + "\n")
    with tempfile.TemporaryDirectory() as place:
        os.environ["SURGENAS_HOME"] = f"{place}/home"
        prepared(Path(place))
        with chdir(place):
            for name in COMMANDS:
                (HERE / f"{name}.json").write_text(json.dumps(answer(name), indent=1) + "\n")


if __name__ == "__main__":
    write_golden_files()
