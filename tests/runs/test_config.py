"""A person's words reach their place in the configuration, and whatever does not fit is named as it was said."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from surgenas.core.architecture import SpaceSpec
from surgenas.core.errors import CorruptError, UsageError
from surgenas.runs.config import RunConfig, make_config, read_config, words

SAID = {
    "data": "photos", "resolution": 32, "max_corrupt": 0.5, "space": "macro", "layout": "proxyless", "width": 0.5,
    "space_settings": {"pool": "k3e3"}, "device": "openvino-cpu", "latency_ms": 4.0, "latency_as": "p90", "samples": 7,
    "predictors": ("ridge",), "strict": True, "method": "spos", "epochs": 3, "method_settings": {"eta": 0.5},
    "train_epochs": 9, "batch": 32, "accelerator": "cpu", "precision": "bf16",
    "processes": 2, "random": 4, "random_at_equal_latency": 5, "random_at_equal_cost": 6,
    "fit": "pad", "flips": "off", "classes": "balanced", "start": "inherit", "seed": 6, "time_limit_s": 60.0,
    "weights": "lite0.safetensors", "distill": 0.5, "alone": True, "cutout": 4, "drop_path": 0.2, "auxiliary": 0.4,
    "limits": {"sram": 1024.0}, "memory_bytes": 1e9, "workers": 3, "engine": "ray",
}  # fmt: skip


def value_at(config, path):
    for part in path:
        config = getattr(config, part)
    return config


def test_every_word_reaches_its_own_place():
    config, usual = make_config(**SAID), RunConfig()
    assert {word.name for word in words()} == SAID.keys()
    for word in words():
        assert value_at(config, word.path) == SAID[word.name], word.name
        assert value_at(usual, word.path) != SAID[word.name], f"{word.name}: a value that tells nothing"
    assert len({word.path for word in words()}) == len(SAID)


def test_every_flag_and_name_is_there_once():
    flags = [word.word.flag for word in words() if word.word.flag]
    assert len(set(flags)) == len(flags)
    assert all(flag.startswith("--") for flag in flags)
    assert all(word.word.help.endswith(".") for word in words())


def test_nothing_said_is_the_default():
    assert make_config() == RunConfig()
    assert make_config(latency_ms=None, time_limit_s=None) == RunConfig()


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "seed": st.integers(0, 2**31 - 1),
            "latency_ms": st.none() | st.floats(1e-6, 1e6),
            "width": st.floats(0.05, 16),
            "data": st.text(min_size=1),
            "predictors": st.lists(st.text(), max_size=3).map(tuple),
            "method_settings": st.dictionaries(st.text(), st.text() | st.integers() | st.booleans(), max_size=3),
            "strict": st.booleans(),
        },
    )
)
def test_a_configuration_survives_json(said):
    config = make_config(**said)
    assert read_config(json.loads(json.dumps(config.model_dump(mode="json")))) == config


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"seed": -1}, "seed -1: "),
        ({"latency_ms": 0.0}, "latency_ms 0.0: "),
        ({"latency_ms": float("inf")}, "latency_ms inf: "),
        ({"random": 101}, "random 101: "),
        ({"random_at_equal_latency": -1}, "random_at_equal_latency -1: "),
        ({"processes": 0}, "processes 0: "),
        ({"batch": 1}, "batch 1: "),
        ({"width": 100.0}, "width 100.0: "),
        ({"max_corrupt": 2}, "max_corrupt 2: "),
        ({"fit": "fill"}, "fit 'fill': "),
        ({"flips": "vertical"}, "flips 'vertical': "),
        ({"classes": "even"}, "classes 'even': "),
        ({"predictors": ("ridge", 7)}, "predictors 7: "),
        ({"method_settings": {"eta": [1]}}, "method_settings "),
        ({"train_epochs": "many"}, "train_epochs 'many': "),
        ({"time_limit_s": 0}, "time_limit_s 0: "),
        ({"colour": 1}, "colour 1: unknown setting; one of data, resolution"),
        ({"uniform": 1}, "uniform 1: unknown setting"),
        ({"devices": 2}, "devices 2: unknown setting"),
    ],
)
def test_what_does_not_fit_is_named_in_one_line_as_it_was_said(said, named):
    with pytest.raises(UsageError) as error:
        make_config(**said)
    assert str(error.value).startswith(named)
    assert "\n" not in str(error.value)


def test_a_configuration_does_not_change():
    config = make_config()
    with pytest.raises(ValidationError, match="frozen"):
        config.seed = 1
    with pytest.raises(ValidationError, match="frozen"):
        config.target.samples = 1


@pytest.mark.parametrize(
    ("record", "named"),
    [
        ({"seed": -1}, "seed"),
        ({"target": {"colour": "red"}}, "target.colour"),
        ({"uniform": 1}, "uniform"),
        ([], "config.json"),
        (None, "config.json"),
    ],
)
def test_a_damaged_record_is_refused_by_its_field(record, named):
    with pytest.raises(CorruptError, match=named) as error:
        read_config(record)
    assert "\n" not in str(error.value)


def test_a_space_file_is_said_in_place_of_a_name_and_imports_nothing(tmp_path):
    file = tmp_path / "space.json"
    file.write_text(SpaceSpec.of("mobile", {"width": 0.5, "layout": "small"}).to_json())
    config = make_config(space=file)
    assert (config.space.name, config.space.settings) == ("mobile", {"width": 0.5, "layout": "small"})
    file.write_text(SpaceSpec.of("os:path", {}).to_json())
    with pytest.raises(UsageError, match="unknown space 'os:path'"):
        make_config(space=str(file))
    with pytest.raises(UsageError, match=r"none\.json: No such file"):
        make_config(space=str(tmp_path / "none.json"))
