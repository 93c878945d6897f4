"""Tables of other people's results: CSV and JSON, and each bad one in a line."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from surgenas.core import moves
from surgenas.core.errors import DataError, UsageError
from surgenas.engine.tables import read_columns, read_table
from surgenas.spaces.macro import Macro
from surgenas.spaces.nasbench201 import NASBench201

SPACE = Macro()
GOOD = "arch,a_ms,b,c_ms\n00000000,1,5,2\n\n11111111,2,6,3\n22222222,3,7,4\n"


@pytest.fixture
def write(tmp_path):
    def to(text, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return to


def test_latencies_are_the_columns_that_end_in_ms(write):
    table = read_table(SPACE, write(GOOD))
    assert table.columns == ("a_ms", "c_ms")
    assert table.of("c_ms").tolist() == [2, 3, 4]
    assert table.archs[1] == SPACE.parse("11111111")
    assert np.array_equal(table.code, moves.encode(SPACE, table.archs))
    assert len(table) == 3


def test_csv_json_and_compressed_say_the_same(write):
    rows = {"00000000": {"b": 5}, "11111111": {"b": 6}, "22222222": {"b": 7}}
    names = {"a.csv": GOOD, "b.csv.gz": GOOD, "c.json": json.dumps(rows), "d.json.gz": json.dumps(rows)}
    tables = [read_columns(SPACE, write(text, name), ["b"]) for name, text in names.items()]
    assert all(table.archs == tables[0].archs for table in tables)
    assert all(np.array_equal(table.values, tables[0].values) for table in tables)


def test_two_latencies_of_one_architecture_may_differ_a_little_and_the_first_counts(write):
    text = GOOD.replace("22222222,3,7,4\n", "22222222,3,7,4\n22222222,3.1,7,4\n")
    assert read_table(SPACE, write(text)).of("a_ms").tolist() == [1, 2, 3]


def test_contradicting_rows_are_refused(write):
    line = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    path = write(f"arch,x\n{line},1\n{line},2\n")
    with pytest.raises(DataError, match="line 3, x: 2, but 1 for the same architecture further up"):
        read_columns(NASBench201(), path, ["x"])


def changed(**more):
    rows = {"00000000": {"val": 1, "test": 1}, "11111111": {"val": 2, "test": 2}}
    return json.dumps({**rows, **more})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (changed(**{"00000000": {"val": float("nan"), "test": 1}}), "val: nan will not do"),
        (changed(**{"00000000": {"val": "high", "test": 1}}), "'high' is no number"),
        (changed(**{"00000003": {"val": 1, "test": 1}}), "not an architecture of macro"),
        (changed(**{"11111111": {"val": 1, "test": 2}}), "2 architectures with 1 different values"),
        ("{", "not a JSON table"),
        ("[1]", "not a table"),
    ],
)
def test_bad_json_is_one_line(write, text, says):
    with pytest.raises(DataError, match=says) as error:
        read_columns(SPACE, write(text, "bad.json"), ["val", "test"])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD.replace("2,6,3", "2,6"), "line 4: 3 cells, expected 4"),
        (GOOD.replace("11111111,2", "11111111,-2"), "line 4, a_ms: -2 will not do; expected a number, 0 or more"),
        (GOOD.replace("11111111,2", "11111111,fast"), "line 4, a_ms: 'fast' is no number"),
    ],
)
def test_a_bad_line_of_csv_is_named(write, text, says):
    with pytest.raises(DataError, match=says):
        read_table(SPACE, write(text))


def test_a_file_or_a_column_that_is_not_there_is_named(write, tmp_path):
    with pytest.raises(UsageError, match="no column 'none'; it has arch, a_ms, b, c_ms"):
        read_columns(SPACE, write(GOOD), ["none"])
    with pytest.raises(UsageError, match="no column that ends in _ms"):
        read_table(SPACE, write(GOOD.replace("_ms", "")))
    with pytest.raises(UsageError, match="expected a table"):
        read_table(SPACE, tmp_path / "nothing.csv")
