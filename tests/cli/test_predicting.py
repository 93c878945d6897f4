"""Predictors judged on a run or on a table, and asked for what they have not seen."""

from __future__ import annotations

import json

from tests.runs.written import TOY, pictures

TEN = """arch,mine_ms
|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|,1.0
|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|,3.0
|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|,4.0
|nor_conv_1x1~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_1x1~2|,2.0
"""
ASK = "arch\n|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|nor_conv_3x3~0|none~1|nor_conv_3x3~2|\n"


def test_profile_then_predict(run, tmp_path):
    pictures(tmp_path / "pictures")
    profile = ["profile", "--data", "pictures", "--device", TOY, "--resolution", "16", "--out", "p", "--json"]
    code, out, err = run(*profile, "--samples", "16")
    assert code == 0, err
    assert json.loads(out)["samples"] == 16
    assert run(*profile, "--samples", "16")[0] == 0, "the same again goes on"
    assert run(*profile, "--samples", "17")[0] == 2
    code, out, _ = run("predict", "p")
    assert code == 0
    assert all(name in out for name in ("gnn", "lookup", "flops", "noise ceiling", "chosen"))


def test_what_others_take_is_written_as_a_table_and_said(run, tmp_path):
    (tmp_path / "ten.csv").write_text(TEN)
    (tmp_path / "ask.csv").write_text(ASK)
    how = ("predict", "--space", "nasbench201", "--table", "ten.csv", "--ask", "ask.csv", "--predictor", "flops")
    code, out, err = run(*how, "--out", "said.csv")
    assert code == 0, err
    assert out.splitlines() == [
        "wrote said.csv: 1 architectures, learned from 4 measurements",
        "mine_ms: by flops (4 samples are too few to compare)",
    ]
    head, row = (tmp_path / "said.csv").read_text().splitlines()
    assert head == "arch,mine_ms,mine_ms +-"
    assert float(row.split(",")[1]) > 4.0
    assert "--ask is about a --table" in run("predict", "some_run", "--ask", "ask.csv")[2]
    code, out, _ = run(*how, "--json")
    assert (code, json.loads(out)["out"]) == (0, "predicted.csv")
