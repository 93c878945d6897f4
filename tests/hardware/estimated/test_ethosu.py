"""An NPU that nobody owns: whole networks by its compiler, and the file that it takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from surgenas.core import moves
from surgenas.core.cost import Failure
from surgenas.core.errors import DataError, UsageError
from surgenas.engine.jobs import job_of
from surgenas.hardware.devices import make_target, shipped_names
from surgenas.hardware.estimated.ethosu import UNTRAINED, evened
from surgenas.hardware.target import Deliverer, Job, TimedTarget, all_costs
from surgenas.spaces import make_space
from surgenas.testing import check_target
from tests.hardware.tflite.compared import file_of

ethosu = pytest.importorskip("ethosu")
pytest.importorskip("ethosu.vela")
pytest.importorskip("tflite_micro")


@pytest.fixture(scope="module")
def npu():
    return make_target("ethos-u55-128")


def network(width=32):
    return nn.Sequential(
        nn.Conv2d(3, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU6(),
        nn.Conv2d(width, 4 * width, 1), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * width, 10),
    )  # fmt: skip


def job(width=32):
    return Job(f"net{width}", lambda: network(width), (3, 16, 16))


def test_it_keeps_the_contract_of_targets_and_hands_on_files(npu):
    check_target(npu, [job(32), job(48)])
    assert isinstance(npu, Deliverer)
    assert not isinstance(npu, TimedTarget)


@pytest.mark.slow
def test_every_shipped_configuration_prices_a_file():
    layers = [layer for _ in range(3) for layer in (nn.Conv2d(32, 32, 3, padding=1), nn.ReLU())]
    file = file_of(nn.Sequential(nn.Conv2d(3, 32, 1), *layers), (3, 16, 16))
    names = [name for name in shipped_names() if name.startswith("ethos-u")]
    assert len(names) == 11
    handed_on = Job("net", None, (3, 16, 16), files=lambda: {".tflite": file})
    found = {name: all_costs(make_target(name).price([handed_on]))[0].values["cycles"] for name in names}
    assert found["ethos-u55-32"] > found["ethos-u55-128"] > found["ethos-u55-256"]
    assert found["ethos-u85-128"] > found["ethos-u85-2048"]


def test_untrained_weights_are_even_and_always_the_same_so_the_shape_alone_counts(npu):
    first, again = (all_costs(npu.price([job()]))[0] for _ in range(2))
    assert first == again
    assert UNTRAINED in first.assumptions
    assert first.by_layer[0][0] == "/2/Clip"


def test_trained_weights_are_priced_as_they_are(npu):
    """The compiler packs them: a network of zeros takes less."""
    plain = job()

    def zeros():
        made = network()
        with torch.no_grad():
            for weight in made.parameters():
                weight.zero_()
        return made

    images = np.random.default_rng(0).standard_normal((8, *plain.input_shape), dtype=np.float32)
    empty = replace(plain, build=zeros, images=lambda: images)
    (dense,), (packed,) = (all_costs(npu.price([job])) for job in (plain, empty))
    assert packed.values["flash"] < 0.5 * dense.values["flash"]
    assert UNTRAINED not in packed.assumptions
    files = npu.deliver(empty)
    (handed_on,) = all_costs(npu.price([replace(empty, files=lambda: files)]))
    assert handed_on.values == packed.values
    assert npu.logits(replace(empty, files=lambda: files), images).shape == (8, 10)


class Shuffled(nn.Module):
    """A network with a step that the NPU leaves to the CPU, or with one that has no int8 form."""

    def __init__(self, function):
        super().__init__()
        self.layer, self.function = nn.Conv2d(3, 8, 1), function

    def forward(self, images):
        return self.function(self.layer(images))


@pytest.mark.parametrize(
    ("function", "kind", "why"),
    [
        (lambda x: x[:, ::2], UsageError, r"net: StridedSlice \(.*\) would run on the CPU, of which Vela counts no"),
        (torch.tanh, DataError, "net: the operator Tanh has no int8 form here"),
    ],
)  # fmt: skip
def test_what_the_npu_cannot_run_is_never_silently_fast(npu, function, kind, why):
    (found,) = npu.price([Job("net", lambda: Shuffled(function), (3, 8, 8))])
    assert isinstance(found, Failure)
    with pytest.raises(kind, match=why):
        raise found.error


@pytest.mark.parametrize(
    ("job", "why"),
    [
        (Job("net", lambda: nn.Conv2d(5, 4, 1), (3, 8, 8)), "net cannot be run on .3, 8, 8., or be exported"),
        (Job("net", None, (3, 8, 8), model=lambda batch: b"no model"), "net: ONNX Runtime cannot run this model"),
    ],
)
def test_what_cannot_be_run_or_exported_is_one_line(npu, job, why):
    (found,) = npu.price([job])
    with pytest.raises(DataError, match=why):
        raise found.error


def test_a_network_of_a_space_is_refused_by_its_genes(npu):
    space = make_space("shuffle", {"layout": "small", "resolution": 16, "classes": 10})
    arch = moves.uniform_architecture(space, "k3")
    (found,) = npu.price([job_of(arch, space)])
    assert str(found.error).startswith(f"{arch}: StridedSlice (")


@pytest.mark.parametrize("wrong", [{"layout": "NHWC"}, {"dtype": "float16"}])
def test_files_that_take_other_images_are_refused(npu, wrong):
    (found,) = npu.price([replace(job(), **wrong)])
    with pytest.raises(UsageError, match="only networks that take float32 images"):
        raise found.error


def test_a_file_of_another_format_is_refused(npu):
    (found,) = npu.price([replace(job(), files=lambda: {".onnx": b""})])
    with pytest.raises(UsageError, match="expected a \\.tflite file, got \\.onnx"):
        raise found.error


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ('accelerator = "ethos-u99"\n', "accelerator"),
        ("", "accelerator.*known keys: estimator, accelerator, system, memory, optimise"),
    ],
)
def test_a_device_file_says_all_that_decides(tmp_path, keys, why):
    rest = 'system = "Ethos_U55_High_End_Embedded"\nmemory = "Shared_Sram"\noptimise = "Size"\n'
    (tmp_path / "mine.toml").write_text(f'estimator = "ethos-u"\n{keys}{rest}')
    with pytest.raises(UsageError, match=why):
        make_target(str(tmp_path / "mine.toml"))


@pytest.mark.parametrize(
    ("system", "memory", "why"),
    [
        ("Mine", "Shared_Sram", "no System_Config 'Mine'; one of Ethos_U55_Deep_Embedded, "),
        ("Ethos_U55_Deep_Embedded", "None", "no Memory_Mode 'None'; one of Sram_Only, Shared_Sram, "),
    ],
)
def test_a_system_that_the_compiler_does_not_know_is_refused_with_those_that_it_knows(tmp_path, system, memory, why):
    (tmp_path / "mine.toml").write_text(
        f'estimator = "ethos-u"\naccelerator = "ethos-u55-64"\nsystem = "{system}"\nmemory = "{memory}"\n'
        'optimise = "Size"\n'
    )
    with pytest.raises(UsageError, match=f"vela.ini has {why}"):
        make_target(str(tmp_path / "mine.toml"))


def test_a_file_that_holds_no_systems_is_refused(tmp_path):
    (tmp_path / "mine.ini").write_text("nothing")
    (tmp_path / "mine.toml").write_text(
        'estimator = "ethos-u"\naccelerator = "ethos-u55-64"\nsystem = "A"\nmemory = "B"\noptimise = "Size"\n'
        'config = "mine.ini"\n'
    )
    with pytest.raises(UsageError, match="no file of systems"):
        make_target(str(tmp_path / "mine.toml"))


def test_a_file_of_systems_lies_beside_the_device_file_and_its_content_is_in_the_key(tmp_path):
    systems = Path(ethosu.__path__[0]) / "config_files" / "Arm" / "vela.ini"
    (tmp_path / "mine.ini").write_text(systems.read_text())
    (tmp_path / "mine.toml").write_text(
        'estimator = "ethos-u"\naccelerator = "ethos-u55-128"\nsystem = "Ethos_U55_High_End_Embedded"\n'
        'memory = "Shared_Sram"\noptimise = "Performance"\nconfig = "mine.ini"\n'
    )
    mine = make_target(str(tmp_path / "mine.toml"))
    assert [cost.ms for cost in all_costs(mine.price([job()]))] == [
        cost.ms for cost in all_costs(make_target("ethos-u55-128").price([job()]))
    ]
    before = mine.key
    (tmp_path / "mine.ini").write_text(systems.read_text().replace("core_clock=500e6", "core_clock=250e6"))
    assert mine.key != before
    (tmp_path / "mine.ini").unlink()
    with pytest.raises(UsageError, match=r"device file .*mine\.toml: config: there is no file"):
        make_target(str(tmp_path / "mine.toml"))


def test_even_weights_keep_the_signal_alive():
    made = evened(nn.Sequential(nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Conv2d(64, 64, 3)))
    with torch.no_grad():
        found = made(torch.randn(1, 64, 9, 9, generator=torch.Generator().manual_seed(1)))
    assert 0.3 < found.std() < 3
