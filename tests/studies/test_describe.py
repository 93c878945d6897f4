"""What there is: networks layer by layer, devices, spaces, methods; every setting says what it means."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from surgenas.core.catalog import look_up
from surgenas.core.errors import UsageError
from surgenas.hardware.devices import shipped_names
from surgenas.hardware.target import TargetInfo
from surgenas.methods import CATALOG
from surgenas.predictors import CATALOG as PREDICTORS
from surgenas.spaces import CATALOG as SPACES
from surgenas.spaces import settings_of
from surgenas.studies import describe as study
from surgenas.studies.describe import Unusable
from tests.runs.written import architecture_file

USUAL = {"layout": "proxyless", "resolution": 0, "width": 1.0, "classes": 1000}


def test_a_uniform_network_is_known_by_its_macs():
    found = study.describe(None, "k7e6", **USUAL)
    assert found.macs / 1e6 == pytest.approx(607, rel=0.01)
    assert found.macs == sum(row.macs for row in found.layers)
    assert found.params == sum(row.params for row in found.layers)
    assert found.layers[0].operator == "fixed"
    small = study.describe(None, "skip", **{**USUAL, "layout": "densenas"})
    assert (round(small.macs / 1e6, 1), round(small.params / 1e6, 2)) == (61.9, 4.72)


def test_a_file_is_described_as_what_it_is(tmp_path):
    found = study.describe(architecture_file(tmp_path / "arch.json"), None, **USUAL)
    assert [row.operator for row in found.layers if row.operator != "fixed"] == ["k3e3"] * 10 + ["skip"]


def test_one_of_a_file_and_a_uniform_network_is_needed(tmp_path):
    file = architecture_file(tmp_path / "arch.json")
    for arch, uniform in ((None, None), (file, "k3e3")):
        with pytest.raises(UsageError, match="--uniform"):
            study.describe(arch, uniform, **USUAL)


def test_every_shipped_device_is_listed_or_says_what_is_missing():
    found = study.devices()
    assert [*found] == shipped_names()
    assert isinstance(found["onnxruntime-cpu"], TargetInfo)
    for row in found.values():
        assert isinstance(row, TargetInfo) or (isinstance(row, Unusable) and row.unusable)


def test_every_space_says_what_it_can_and_all_that_it_takes():
    found = study.spaces()
    assert {name.partition(" ")[0] for name in found} == set(SPACES)
    for name, space in found.items():
        assert {row.name for row in space.settings} == set(settings_of(name.partition(" ")[0]))
        assert space.what
        assert space.layers > 0
        assert space.architectures > 1
        for row in space.settings:
            assert row.takes, f"{name}: {row.name}"
    assert "SharesWeights" in found["mobile --layout small"].can
    assert "Selectable" in found["operators"].can
    json.dumps({name: row.to_json() for name, row in found.items()}, allow_nan=False)


def test_every_method_says_what_all_its_settings_mean():
    found = study.methods()
    assert [*found.methods] == [*CATALOG]
    assert [*found.predictors] == [*PREDICTORS]
    for name, method in found.methods.items():
        kind = look_up("method", name, CATALOG)
        others = {"epochs", "make"}  # --epochs says the one, no text can say the other
        assert {row.name for row in method.settings} == {f.name for f in fields(kind) if f.init} - others
        for row in method.settings:
            assert row.meaning, f"{name}: {row.name}"
            assert row.takes, f"{name}: {row.name}"
    sampler = next(row for row in found.methods["surgenas"].settings if row.name == "sampler")
    assert sampler.default == "ods"
    assert "gdas" in sampler.takes
    assert found.methods["surgenas"].shares
    assert found.methods["weaknas"].shares == ()
    json.dumps(found.to_json(), allow_nan=False)
