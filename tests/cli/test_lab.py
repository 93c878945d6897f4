"""Commands that judge searches."""

from __future__ import annotations

import json

import numpy as np
import pytest

from surgenas.cli.lab import fidelity_of
from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.spaces.macro import Macro
from surgenas.studies.improvement import BESIDE
from tests.runs.written import TOY, written_run


def test_bench_search_on_a_table(run, tmp_path):
    rng = np.random.default_rng(0)
    space = Macro()
    rows = ["arch,val,test,ms"]
    for arch in moves.enumerate_all(space):
        digits = moves.indices(space, arch)
        score = 50 + sum(moves.indices(space, space.canonical(arch))[1:5]) + 1e-3 * rng.random()
        rows.append(f"{''.join(map(str, digits))},{score},{score + 1},{1 + sum(digits)}")
    (tmp_path / "table.csv").write_text("\n".join(rows))
    ask = ["bench", "search", "--space", "macro", "--table", "table.csv", "--validation", "val", "--test", "test"]
    ask += ["--latency-table", "table.csv", "--latency", "ms", "--limit", "9ms", "--methods", "regularized,nsga2"]
    ask += ["--budget", "20", "--seeds", "2"]
    code, out, err = run(*ask)
    assert code == 0, err
    assert all(name in out for name in ("random", "regularized", "nsga2", "within 9 ms (ms)", "bench.html"))
    code, out, _ = run(*ask, "--json")
    assert code == 0
    assert [row["method"] for row in json.loads(out)["methods"]] == ["random", "regularized", "nsga2"]


def test_a_fidelity_is_a_column_and_its_cost():
    assert fidelity_of("val_12ep=0.06") == ("val_12ep", 0.06)
    for text in ("val", "val=", "val=cheap"):
        with pytest.raises(UsageError, match="COLUMN=COST"):
            fidelity_of(text)


def test_bench_ri_goes_on_with_what_its_folder_holds(run, tmp_path):
    """Both searches are done already."""
    how = {"device": TOY, "resolution": 16, "epochs": 2, **dict.fromkeys(BESIDE, 1)}
    written_run(tmp_path / "ri" / "digits-surgenas-0", 0.9, **how)
    written_run(tmp_path / "ri" / "digits-surgenas-1", 0.92, **how, seed=1, latency_ms=2.5)
    ask = ["bench", "ri", "--methods", "surgenas", "--seeds", "2", "--device", TOY, "--resolution", "16"]
    code, out, err = run(*ask, "--epochs", "2")
    assert code == 0, err
    assert "of any latency" in out
    assert "of equal latency" in out
    assert "at equal total cost" in out
    assert "91.00 % (2)" in out
    code, out, _ = run(*ask, "--epochs", "2", "--json")
    (row,) = json.loads(out)["rows"]
    assert row["ri"]["value"] == pytest.approx(100 * (91 - 60) / 60)
    assert run(*ask, "--epochs", "3")[0] == 2, "other settings"


def test_compare_tells_runs_apart(run, tmp_path):
    for name, accuracy in (("good", 0.95), ("bad", 0.8)):
        written_run(tmp_path / name, accuracy)
    code, out, err = run("compare", "good", "bad")
    assert code == 0, err
    assert "bad against good: -15.00 points" in out
    code, out, _ = run("compare", "good", "bad", "--json")
    assert json.loads(out)["judged_by"] == "test images"
