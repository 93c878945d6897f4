"""Options: those of a run come from its configuration, and what was said reaches it as it was meant."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

import pytest
import typer
from typer.testing import CliRunner

from surgenas.cli.options import names_of, setting_of, show, with_run_options
from surgenas.core.errors import UsageError
from surgenas.core.progress import Progress
from surgenas.core.record import Record
from surgenas.runs.config import make_config, words

SAID = {
    "--data": "photos", "--resolution": "32", "--max-corrupt": "0.5", "--space": "macro", "--layout": "proxyless",
    "--width": "0.5", "--device": "openvino-cpu", "--latency": "800us", "--latency-as": "p90", "--samples": "7",
    "--method": "spos", "--epochs": "3", "--set": "eta=0.5", "--train-epochs": "9", "--batch": "32",
    "--accelerator": "cpu", "--precision": "bf16",
    "--processes": "2", "--random": "4", "--random-at-equal-latency": "5",
    "--random-at-equal-cost": "6", "--seed": "6", "--time-limit": "30m",
    "--fit": "pad", "--flips": "off", "--classes": "balanced", "--start": "inherit",
    "--weights": "lite0.safetensors", "--distill": "0.5", "--cutout": "4", "--drop-path": "0.2", "--auxiliary": "0.4",
    "--limit": "sram=256KB", "--memory": "2GB", "--workers": "3", "--engine": "ray",
}  # fmt: skip
FLAGS = {word.word.flag: word for word in words() if word.word.flag}


def told(*args, names=()):
    """What a command with the options of a run is told."""
    app, seen, heard = typer.Typer(), {}, []

    @app.command()
    @with_run_options(*names)
    def command(said: dict, listener: Progress, out: str = "here") -> None:
        """Do it."""
        seen.update(said, out=out)
        heard.append(listener.details)

    result = CliRunner().invoke(app, list(args))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    assert heard == ["-v" in args]
    return seen


def test_nothing_said_is_the_default_configuration():
    said = told()
    assert said.pop("out") == "here"
    assert make_config(**said) == make_config()


def test_every_flag_reaches_its_word():
    assert FLAGS.keys() == SAID.keys() | {"--strict", "--alone"}
    said = told("--strict", "--alone", *(text for pair in SAID.items() for text in pair), "--set", "sampler=ods")
    assert said["latency_ms"] == 0.8
    assert said["time_limit_s"] == 1800.0
    assert said["method_settings"] == {"eta": 0.5, "sampler": "ods"}
    assert said["strict"] is True
    assert said["limits"] == {"sram": "256KB"}
    usual = told()
    for flag, word in FLAGS.items():
        assert said[word.name] != usual[word.name], flag
    del said["out"]
    assert make_config(**said).beside.random_at_equal_latency == 5


def test_a_command_takes_the_options_that_it_names_and_no_others():
    assert told("--seed", "3", "-v", names=("seed", "device")) == {
        "device": "onnxruntime-cpu",
        "seed": 3,
        "out": "here",
    }
    with pytest.raises(AssertionError, match="epochs"):
        told("--epochs", "3", names=("seed",))


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("eta=0.5", ("eta", 0.5)),
        ("keep=3", ("keep", 3)),
        ("ei=true", ("ei", True)),
        ("sampler=ods", ("sampler", "ods")),
        ("pool=k3,k5", ("pool", "k3,k5")),
        ("a=b=c", ("a", "b=c")),
        ("list=[1]", ("list", "[1]")),
        ("nothing=null", ("nothing", "null")),
        ("empty=", ("empty", "")),
    ],
)
def test_a_setting_is_a_number_a_truth_or_text(text, setting):
    assert setting_of(text) == setting
    assert type(setting_of(text)[1]) is type(setting[1])


def test_a_setting_without_a_value_is_refused():
    with pytest.raises(UsageError, match="name=value"):
        setting_of("eta")
    with pytest.raises(UsageError, match="--limit 'sram': expected name=value, for example sram=256KB"):
        setting_of("sram", "--limit")


@pytest.mark.parametrize("flag", ["--set", "--limit"])
def test_a_setting_that_is_given_twice_is_refused(flag):
    with pytest.raises(UsageError, match=f"{flag} a: given twice, as 1 and 2"):
        told(flag, "a=1", flag, "b=1", flag, "a=2")


def test_names_are_parted_by_commas():
    assert names_of(" a, b,,c ") == ["a", "b", "c"]
    assert names_of("") == []


@dataclass(frozen=True)
class Answer(Record):
    """What a command could say."""

    rounds: int


def test_an_answer_is_json_text_or_lines(capsys):
    found: Record = Answer(5)
    show(found, as_json=True, text="never")
    assert json.loads(capsys.readouterr().out) == {"rounds": 5}
    show(found, as_json=False, text="for people")
    assert capsys.readouterr().out == "for people\n"
    show(found, as_json=False)
    assert capsys.readouterr().out == "rounds: 5\n"
    show({"one": found}, as_json=True)
    assert json.loads(capsys.readouterr().out)["one"]["rounds"] == 5


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("surgenas.cli", {"torch", "timm", "onnx", "plotly", "sklearn"}),
        ("surgenas.studies.classify", {"torch", "timm", "plotly", "sklearn"}),
    ],
)
def test_help_and_who_uses_a_model_file_load_nothing_heavy(module, heavy):
    script = f"import sys, surgenas, {module}; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
