"""Published latency tables: their sums, and what is wrong with a file."""

from __future__ import annotations

import json

import numpy as np
import pytest

from surgenas.core import moves
from surgenas.core.errors import DataError, UsageError
from surgenas.predictors.table import SINGLE_PATH_FIXED_MS, read_latency_table
from surgenas.spaces.single_path import SinglePath, SinglePathSE

SPACE = SinglePath()


def table(tmp_path, change=lambda rows: None, keys="0123"):
    rows = {str(layer): dict(zip(keys, (1.0, 2.0, 1.5, 3.0 + layer), strict=True)) for layer in range(22)}
    change(rows)
    path = tmp_path / "table.json"
    path.write_text(json.dumps(rows))
    return path


def test_a_sum_is_a_sum(tmp_path):
    """Layers count from 1: row 0 and 21 are the authors' fixed blocks. Skipped layers cost nothing."""
    predictor = read_latency_table(SPACE, table(tmp_path))
    archs = [SPACE.parse("k3e6"), SPACE.parse("k5e6"), SPACE.parse("spnasnet")]
    sums = predictor.predict(moves.encode(SPACE, archs)) - SINGLE_PATH_FIXED_MS
    large = [3.0 + layer for layer in range(1, 21)]
    found = 1.0 * 9 + sum(large[i] for i in (4, 8, 12, 16, 17, 18, 19)) + 3 * 1.5
    assert np.allclose(sums, [40.0, sum(large), found], atol=1e-4)
    with pytest.raises(UsageError, match="not fitted"):
        predictor.fit(np.zeros((2, 20, 5)), np.ones(2))


def test_names_and_a_fixed_part_of_its_own(tmp_path):
    def named(rows):
        rows["fixed"] = 5.0
        for layer in range(1, 21):
            rows[str(layer)] = {"k3e3": 1.0, "k3e6": 1.0, "k5e3": 1.0, "k5e6": 1.0, "skip": 0.25}

    predictor = read_latency_table(SPACE, table(tmp_path, named))
    assert predictor.predict(moves.encode(SPACE, [SPACE.parse("spnasnet")]))[0] == pytest.approx(5 + 19 + 0.25)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda rows: rows.pop("7"), "no row for layer 7"),
        (lambda rows: rows["7"].pop("3"), "layer 7 has no entry for k5e6"),
        (lambda rows: rows["7"].update({"3": "fast"}), "7.*number"),
        (lambda rows: rows["7"].update({"3": -1.0}), "-1 ms; expected 0 or more"),
        (lambda rows: rows["7"].update({"3": float("nan")}), "finite"),
        (lambda rows: rows.update(fixed={"0": 1.0}), "fixed"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(tmp_path, change, named):
    with pytest.raises(DataError, match=named):
        read_latency_table(SPACE, table(tmp_path, change))


def test_a_table_without_se_and_no_table_at_all(tmp_path):
    with pytest.raises(DataError, match="no Squeeze-and-Excitation"):
        read_latency_table(SinglePathSE(), table(tmp_path))
    with pytest.raises(UsageError, match="No such file"):
        read_latency_table(SPACE, tmp_path / "none.json")
    (tmp_path / "table.json").write_text("[1]")
    with pytest.raises(DataError, match="expected"):
        read_latency_table(SPACE, tmp_path / "table.json")
