"""Tables of latencies from Python: judged, and asked for others."""

from __future__ import annotations

import pytest

from surgenas import api
from surgenas.core.errors import UsageError
from tests.cli.test_predicting import ASK, TEN


def test_a_table_is_judged_and_asked(tmp_path):
    (tmp_path / "ten.csv").write_text(TEN)
    (tmp_path / "ask.csv").write_text(ASK)
    how = {"predictors": ("flops",)}
    found = api.answer("nasbench201", tmp_path / "ten.csv", tmp_path / "ask.csv", tmp_path / "out.csv", **how)
    assert (found.architectures, found.learned) == (1, 4)
    assert api.predict_table("nasbench201", tmp_path / "ten.csv", train=(2,), **how).architectures == 4
    with pytest.raises(UsageError, match="no column 'his_ms'"):
        api.answer("nasbench201", tmp_path / "ten.csv", tmp_path / "ask.csv", tmp_path / "no.csv", ["his_ms"], **how)
