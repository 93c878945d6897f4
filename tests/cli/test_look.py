"""Commands that only look."""

from __future__ import annotations

import json

import pytest

from surgenas.core.errors import EnvironmentFault


@pytest.mark.parametrize(
    ("command", "key"), [("devices", "onnxruntime-cpu"), ("spaces", "mobile --layout small"), ("methods", "methods")]
)
def test_what_there_is_is_listed_in_json_and_in_words(run, command, key):
    code, out, _ = run(command, "--json")
    assert code == 0
    assert key in json.loads(out)
    code, out, _ = run(command)
    assert code == 0
    assert key.split(" ")[0] in out or command == "methods"


def test_doctor_says_what_works_and_ends_well(run):
    code, out, _ = run("doctor", "--device", "roofline-example", "--json")
    assert (code, json.loads(out)["noise"]) == (0, None)
    code, out, _ = run("doctor", "--device", "roofline-example")
    assert code == 0
    assert "onnxruntime-cpu" in out
    assert run("doctor", "--device", "abacus")[0] == 2


def test_doctor_ends_in_an_error_where_nothing_can_be_measured_but_tells_all_else(run, monkeypatch):
    def broken() -> None:
        raise EnvironmentFault("measurement store /no: set SURGENAS_HOME")

    monkeypatch.setattr("surgenas.studies.doctor.default_store", broken)
    code, out, _ = run("doctor", "--device", "roofline-example")
    assert code == 3
    assert "packages" in out
    assert "! measurement store /no: set SURGENAS_HOME" in out


def test_describe_speaks_json_and_words(run):
    code, out, _ = run("describe", "--uniform", "k7e6", "--json")
    assert code == 0
    assert json.loads(out)["macs"] / 1e6 == pytest.approx(607, rel=0.01)
    code, out, _ = run("describe", "--uniform", "skip", "--layout", "densenas")
    assert "61.9 MMACs, 4.72 M parameters" in out


def test_describe_takes_a_file(run, arch):
    code, out, err = run("describe", "--arch", arch)
    assert code == 0, err
    assert out.count("k3e3") == 10
    assert run("describe", arch)[:2] == (code, out), "a run or a file, as other commands take it"


def test_methods_say_what_can_be_set(run):
    _, out, _ = run("methods", "single-path")
    assert "search_lambda" in out
    assert "bisection, bayes" in out
    _, out, _ = run("methods", "--json")
    settings = json.loads(out)["methods"]["surgenas"]["settings"]
    assert next(row for row in settings if row["name"] == "sampler")["default"] == "ods"


def test_estimate_adds_a_table_up(run, tmp_path):
    row = {"k3e3": 1.0, "k3e6": 2.0, "k5e3": 1.5, "k5e6": 3.0}
    (tmp_path / "table.json").write_text(json.dumps({"fixed": 10.0, **{str(i): row for i in range(1, 21)}}))
    code, out, err = run("estimate", "--table", "table.json", "--arch", "spnasnet", "--json")
    assert code == 0, err
    assert json.loads(out)["exact_ms"] == pytest.approx(10 + 9 * 1.0 + 7 * 3.0 + 3 * 1.5)
    code, out, _ = run("estimate", "--table", "table.json", "--arch", "k3e3")
    assert (code, "sum: 30.00 ms" in out) == (0, True)
    code, _, err = run("estimate", "--table", "none.json", "--arch", "k3e3")
    assert (code, "No such file" in err) == (2, True)
    code, _, err = run("estimate", "--table", "table.json", "--arch", "k9e9")
    assert (code, "20 choices" in err) == (2, True)
