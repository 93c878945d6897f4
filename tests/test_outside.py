"""What comes from outside and is wrong ends in one line, before time is spent; what is right is taken everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import nn

from surgenas import api
from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.core.progress import Progress
from surgenas.methods import make_method
from surgenas.methods.random_search import RandomSearch
from surgenas.methods.selection import OperatorChoice
from surgenas.nn.blocks import classifier
from surgenas.runs.flow import check_names
from surgenas.runs.run import Run
from surgenas.spaces import make_space, settings_of
from surgenas.studies import describe
from surgenas.studies.operators import choose
from surgenas.testing import Planted

HERE = __name__
TINY = {"device": "surgenas.testing:toy_device", "resolution": 16, "epochs": 1, "samples": 12, "accelerator": "cpu",
        "method": "random", "predictors": ("ridge",)}  # fmt: skip


class Wrong(Planted):
    """It gives seven classes, whatever the images are."""

    name = "wrong"

    def head(self, *, affine: bool) -> nn.Module:
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 7))


class Clumsy(Planted):
    """Its operators give other shapes than the chain needs."""

    name = "clumsy"

    def operator(self, gene, cin, cout, stride, *, affine):
        return nn.Conv2d(cin, cout + 1, 1)


class Empty(Planted):
    """It has nothing to choose from."""

    name = "empty"
    OPTIONS = ()


class Strict(Planted):
    """Its constructor refuses."""

    def __init__(self):
        raise ValueError("not on a Friday")


@dataclass(frozen=True, kw_only=True)
class Silent(RandomSearch):
    """It never asks for anything."""

    name: ClassVar[str] = "silent"

    def ask(self, space, history, n, rng, feasible=None):
        return []


@dataclass(frozen=True, kw_only=True)
class Demanding(RandomSearch):
    """It has a setting without a default."""

    name: ClassVar[str] = "demanding"
    must: int


def new(tmp_path, **settings):
    return api.create(out=tmp_path / "run", progress=Progress(), **{**TINY, **settings})


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ("Wrong", r"space 'wrong' gives \(N, 7\) for \(N, 10\), the images' classes; let its constructor take"),
        ("Clumsy", "space 'clumsy' cannot build a network: RuntimeError"),
        ("Empty", "space 'empty' cannot build a network: IndexError"),
    ],
)
def test_a_space_whose_networks_do_not_fit_is_refused_first(tmp_path, space, said):
    with pytest.raises(UsageError, match=said):
        check_names(new(tmp_path, space=f"{HERE}:{space}"))


def test_what_is_no_space_is_named():
    with pytest.raises(UsageError, match="cannot be made: ValueError: not on a Friday"):
        make_space(f"{HERE}:Strict", {})
    for name in ("math:pi", "json:dumps"):
        with pytest.raises(UsageError, match=f"{name!r} is not a search space; one of mobile"):
            settings_of(name)


def test_what_is_no_method_is_named():
    with pytest.raises(UsageError, match="BlackBox is no search method"):
        make_method("surgenas.methods.blackbox:BlackBox", {})
    with pytest.raises(UsageError, match="Demanding needs a value for must: --set must=VALUE"):
        make_method(f"{HERE}:Demanding", {"trials": 3})
    assert make_method(f"{HERE}:Demanding", {"must": 2}).must == 2


def test_too_few_samples_are_refused_before_any_is_measured(tmp_path):
    with pytest.raises(UsageError, match="--samples 8: a search learns latency from 12 networks or more"):
        check_names(new(tmp_path, samples=8))


def test_a_method_that_asks_for_nothing_has_no_result(tmp_path):
    out = tmp_path / "run"
    with pytest.raises(UsageError, match="Silent ended before it judged or trained anything"):
        api.search(out=out, **{**TINY, "space": f"{HERE}:Planted", "method": f"{HERE}:Silent"})
    assert Run.open(out, Progress()).journal.last("done", step="search") is None


def test_a_space_from_outside_is_described_listed_and_selected_from(tmp_path):
    listed = describe.spaces((f"{HERE}:Planted", "macro"))
    assert list(listed) == [f"{HERE}:Planted", "macro"]
    assert listed[f"{HERE}:Planted"].operators == Planted.OPTIONS
    assert "Named" in listed["macro"].can
    with pytest.raises(UsageError, match="unknown space 'nothing'"):
        describe.spaces(("nothing",))
    with pytest.raises(UsageError, match=r"space 'planted'.*no operators to select from"):
        choose(
            ["surgenas.testing:toy_device"], tmp_path / "out", space=f"{HERE}:Planted", layout="small", resolution=64,
            width=1.0, choice=OperatorChoice(), seed=0, progress=Progress(),
        )  # fmt: skip


def test_a_method_from_outside_is_listed():
    found = describe.methods((f"{HERE}:Silent",)).methods[f"{HERE}:Silent"]
    assert {row.name for row in found.settings} == {"trials", "batch", "near"}
    with pytest.raises(UsageError, match="unknown method 'nothing'"):
        describe.methods(("nothing",))


class Growing(Planted):
    """It can be wider. Its widths are rounded to multiples of 8, so that some scales are the same network."""

    name = "growing"
    knobs = ("width",)

    def __init__(self, *, width: float = 1.0):
        self.width = width

    @property
    def settings(self):
        return {"width": self.width}

    def head(self, *, affine: bool) -> nn.Module:
        return classifier(24, max(8, round(64 * self.width / 8) * 8), 0, 10, dropout=0.0, affine=affine)

    def scaled(self, arch, knob, scale):
        return Growing(width=self.width * scale).architecture(arch.genes)


def test_a_run_folder_of_a_space_from_outside_is_scaled(tmp_path):
    run = new(tmp_path, space=f"{HERE}:Growing")
    arch = moves.uniform_architecture(run.space, "k3e3")
    (run.folder / "architecture.json").write_text(arch.to_json())
    found = api.scale(run.folder, TINY["device"], tmp_path / "grown", knob="width", most=2.0, slack=0.5)
    sizes = {max(8, round(64 * (1 + i / 20) / 8) * 8) for i in range(21)}
    assert len(found.points) == len(sizes), "the same network is measured once"
    assert [p.macs for p in found.points] == sorted({p.macs for p in found.points})
    assert found.architecture is not None
    assert found.architecture.space.name == "growing"


def test_a_run_folder_of_a_space_from_outside_is_described(tmp_path):
    run = new(tmp_path, space=f"{HERE}:Planted")
    arch = moves.uniform_architecture(run.space, "k3e6")
    (run.folder / "architecture.json").write_text(arch.to_json())
    found = describe.describe(Path(run.folder), None, layout="small", resolution=64, width=1.0, classes=10)
    assert [row.name for row in found.layers] == ["stem", *(f"layer{i + 1}" for i in range(6)), "head"]
    assert found.macs == pytest.approx(sum(row.macs for row in found.layers))
    with torch.device("meta"):
        assert found.params == sum(p.numel() for p in run.space.build(arch).parameters())
