"""Latencies of other architectures, learned from a few: a table of the same texts, nearer than their mean."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from surgenas.core import moves
from surgenas.core.capabilities import Counted, require
from surgenas.core.errors import DataError
from surgenas.core.progress import Progress
from surgenas.spaces import make_space
from surgenas.studies.answer import answer
from surgenas.studies.contest import Contest

SPACE = make_space("nasbench201", {})


def latencies(archs, factor):
    costs = require(SPACE, Counted).costs()
    return factor * (0.1 + costs.macs_of(moves.encode(SPACE, archs)) / 1e8)


def text_of(arch):
    """As tables of that space have it."""
    a, b, c, d, e, f = arch.genes
    return f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|"


@pytest.fixture
def files(tmp_path):
    """Ten measured ones, two known devices of which one is much like it, and sixty that are asked for."""
    archs = moves.sample_many(SPACE, 160, np.random.default_rng(0))
    for name, rows, columns in (
        ("ten", archs[:10], {"mine_ms": 3.0}), ("known", archs[10:100], {"a_ms": 1.0, "b_ms": 2.0}),
        ("ask", archs[100:], {}),
    ):  # fmt: skip
        with (tmp_path / f"{name}.csv").open("w") as file:
            writer = csv.writer(file)
            writer.writerow(["arch", *columns])
            for arch in rows:
                writer.writerow([text_of(arch), *(latencies([arch], factor)[0] for factor in columns.values())])
    return tmp_path, archs[100:]


@pytest.mark.parametrize("known", [False, True])
def test_a_few_measurements_tell_of_others(files, known):
    folder, asked = files
    contest = Contest(
        folder / "ten.csv", (), predictors=("ridge", "flops"), pretrain=folder / "known.csv" if known else None
    )
    found = answer(SPACE, contest, folder / "ask.csv", folder / "out.csv", Progress())
    assert (found.architectures, found.learned) == (60, 10)
    assert (found.chosen["mine_ms"].predictor == "transfer") == known
    rows = list(csv.DictReader((folder / "out.csv").read_text().splitlines()))
    assert [row["arch"] for row in rows] == [text_of(arch) for arch in asked]
    true = latencies(asked, 3.0)
    off = np.abs(np.array([float(row["mine_ms"]) for row in rows]) - true)
    assert np.median(off) < 0.5 * np.median(np.abs(true - true.mean()))
    assert all(float(row["mine_ms +-"]) > 0 for row in rows)


def test_an_architecture_of_another_space_is_named_with_its_line(files):
    folder, _ = files
    (folder / "ask.csv").write_text("arch\nk3e3-k5e6\n")
    with pytest.raises(DataError, match=r"ask\.csv, line 2"):
        answer(SPACE, Contest(folder / "ten.csv", ()), folder / "ask.csv", folder / "out.csv", Progress())
    (folder / "ask.csv").write_text("arch\n")
    with pytest.raises(DataError, match="no architecture in it"):
        answer(SPACE, Contest(folder / "ten.csv", ()), folder / "ask.csv", folder / "out.csv", Progress())
    assert not (folder / "out.csv").exists()
