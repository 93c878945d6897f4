"""What a latency table says: the sum of its entries, and the paper's formula where there is one."""

from __future__ import annotations

import json

import pytest

from surgenas.core.errors import SurgenasError
from surgenas.report.text import estimate_table
from surgenas.spaces.single_path import SinglePath
from surgenas.studies.estimate import TableEstimate, estimate
from tests.runs.written import architecture_file

ROW = {"k3e3": 1.0, "k3e6": 2.0, "k5e3": 1.5, "k5e6": 3.0}


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.json"
    path.write_text(json.dumps({"fixed": 10.0, **{str(i): ROW for i in range(1, 21)}}))
    return path


def test_a_table_is_added_up_and_the_formula_of_the_paper_stands_beside_it(table):
    found = estimate("single_path", table, "spnasnet")
    assert found.exact_ms == pytest.approx(10 + 9 * 1.0 + 7 * 3.0 + 3 * 1.5)
    assert found.paper_ms == pytest.approx(10 + 9 * 1.5 * 2 / 3 + 7 * 3.0 + 3 * 1.5)
    assert found.exact_ms == pytest.approx(found.fixed_ms + sum(row.ms for row in found.layers))
    assert TableEstimate.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found
    assert "by the paper's formula: " in estimate_table(found)


def test_an_architecture_file_tells_its_space_itself(table, tmp_path):
    arch = SinglePath().parse("k5e6")
    file = architecture_file(tmp_path / "arch.json", arch)
    assert estimate("mobile", table, str(file)) == estimate("single_path", table, "k5e6")


def test_what_is_not_there_is_named(table, tmp_path):
    with pytest.raises(SurgenasError, match="No such file"):
        estimate("single_path", tmp_path / "none.json", "k3e3")
    with pytest.raises(SurgenasError, match="20 choices"):
        estimate("single_path", table, "k9e9")
    with pytest.raises(SurgenasError, match="unknown space"):
        estimate("round", table, "k3e3")
