"""Commands that work on a run."""

from __future__ import annotations

import json

import pytest

from surgenas.runs.model_use import ModelUse, write_use
from surgenas.runs.steps.export import export
from tests.runs.written import TOY, new_run, pictures, trained, written_run

HOW = ["--resolution", "16", "--batch", "48", "--accelerator", "cpu", "--train-epochs", "1", "--epochs", "1"]


@pytest.mark.usefixtures("arch")
def test_train_and_measure_an_architecture_file(run, tmp_path):
    how = ["--arch", "arch.json", "--epochs", "1", "--batch", "256", "--accelerator", "cpu"]
    code, out, err = run("train", *how, "--json")
    assert code == 0, err
    assert 0 < json.loads(out)["accuracy"]["test"] <= 1
    assert (tmp_path / "trained" / "model.safetensors").exists()
    code, _, err = run("train", *how, "--seed", "1")
    assert (code, "another training" in err) == (2, True), "never the weights of another training"
    code, _, err = run("train", "--arch", "arch.json", "--epochs", "0")
    assert (code, "--epochs 0" in err) == (2, True)


def test_resume_and_report_of_a_run_that_is_done(run, tmp_path):
    written_run(tmp_path / "run")
    code, out, err = run("resume", "run")
    assert code == 0, err
    assert "measured 2 ms +-1.0% (grade A) in the machine's quiet state" in out
    code, out, _ = run("resume", "run", "--json")
    assert json.loads(out)["latency"]["ms"] == 2.0
    code, out, _ = run("report", "run")
    assert (code, out) == (0, "report: run/report.html\n")


def test_export_copies_the_verified_file_and_refuses_its_bytes_under_another_format(run, tmp_path):
    folder = trained(new_run(tmp_path / "run")).folder
    write_use(folder / "model.json", ModelUse({}, 16, 16, (0.5,) * 3, (0.2,) * 3, ("a", "b"), "bicubic", "crop", "cut"))
    (folder / "model.onnx").write_bytes(b"onnx")
    code, out, err = run("export", "run", "--to", "net.onnx", "--json")
    assert (code, json.loads(out)["files"]) == (0, ["net.onnx", "net.onnx.json"]), err
    assert (tmp_path / "net.onnx").read_bytes() == b"onnx"
    code, _, err = run("export", "run", "--to", "net.h5")
    assert (code, "one of .mnn, .onnx, .param, .pt2, .pte, .tflite, .xml" in err) == (2, True)
    assert not (tmp_path / "net.h5").exists()


def test_a_dry_run_prints_its_lines_and_keeps_nothing(run, tmp_path):
    pictures(tmp_path / "pictures")
    code, out, err = run("search", "--data", "pictures", "--device", TOY, *HOW, "--dry-run")
    assert code == 0, err
    assert [line.split()[0] for line in out.splitlines()] == ["limit", "images", "search", "time", "memory"]
    assert "; networks take" in out.splitlines()[0]
    assert "networks take" not in err, "not said twice"
    assert not (tmp_path / "runs").exists()


def test_log_says_how_many_points_each_place_lacked(run, tmp_path):
    pytest.importorskip("tensorboard")
    written_run(tmp_path / "run")
    code, out, err = run("log", "run", "--to", "tensorboard", "--to", "lightning_fabric.loggers:CSVLogger=csv")
    assert code == 0, err
    assert out.startswith("tensorboard: ")
    assert out.splitlines()[1].startswith("lightning_fabric.loggers:CSVLogger=csv: ")
    code, out, _ = run("log", "run", "--to", "tensorboard", "--json")
    assert (code, json.loads(out)) == (0, {"run": "run", "points": {"tensorboard": 0}})
    assert run("log", "run", "--to", "mlflow=")[0] == 2


def test_classify_prints_a_table_or_json_or_csv_and_names_what_cannot_be_read(run, tmp_path):
    data = pictures(tmp_path / "pictures", each=8)
    made = trained(new_run(tmp_path / "run", data=str(data)))
    made.record("export", export(made))
    code, out, err = run("classify", "run", "pictures/dark", "--top", "3")
    assert code == 0, err
    assert len(out.splitlines()) == 10, "a head, eight images, and their number"
    assert "pictures/dark/7.png" in out
    (tmp_path / "pictures" / "dark" / "x.jpg").write_text("none")
    code, out, err = run("classify", "run", "pictures", "--csv", "labels.csv", "--json")
    assert code == 4
    assert "1 file(s) cannot be read, the others are labelled: first pictures/dark/x.jpg: cannot" in err
    found = json.loads(out)
    assert [one["file"] for one in found["unreadable"]] == ["pictures/dark/x.jpg"]
    code, out, _ = run("classify", "run", "pictures", "--csv", "-")
    assert (code, out) == (4, (tmp_path / "labels.csv").read_text())
    first = found["images"][0]
    assert out.splitlines()[1].startswith(f"{first['file']},{first['label']},{first['probability']:.6f},")
    assert run("classify", "run", "pictures", "--csv", "other.csv")[1].startswith("wrote other.csv; 24 image(s): ")


def test_classify_refuses_what_could_not_be_kept_before_it_begins(run, tmp_path):
    for csv, said in (("nowhere/l.csv", "in a folder that is there"), (".", "expected a file"), ("-", "--csv - and")):
        code, _, err = run("classify", "nothing", "pictures", "--json", "--csv", csv)
        assert (code, said in err) == (2, True), err
