"""A trained network in a mix of fp32 and int8: what is chosen under a limit, what is written, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import onnx
import pytest

from surgenas import api
from surgenas.core.errors import LimitError, UsageError
from surgenas.core.progress import Progress
from surgenas.runs.delivery import found_data, trained_job
from surgenas.runs.run import Run
from surgenas.runs.steps.export import export
from surgenas.studies.quantize import Mixer, Quantized
from surgenas.tasks.classification import accuracy
from surgenas.testing import brief_int8_device
from tests.runs.written import new_run, trained

BRIEF = "surgenas.testing:brief_int8_device"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    made = trained(new_run(tmp_path_factory.mktemp("quantize") / "run", device="tests.runs.written:HandingDevice"))
    made.record("export", export(made))
    return made


@pytest.fixture(scope="module")
def made(run) -> Mixer:
    return Mixer(run, brief_int8_device(), 0, Progress(), probes=2)


class Slow(Mixer):
    """A mixer whose every mix takes the sum over layers and a tenth more for each layer in int8 that follows one in
    fp32, or the other way round."""

    def __init__(self, made: Mixer, rows) -> None:
        self.__dict__ |= made.__dict__
        self.rows, self.asked, self.every = rows, [], frozenset(row.node for row in rows)

    def measure(self, mixes, effort):
        self.asked += mixes
        return [SimpleNamespace(ms=self.predict(mix) + 0.1 * self.borders(mix)) for mix in mixes]

    def borders(self, mix) -> int:
        inside = [row.node in mix for row in self.rows]
        return sum(a != b for a, b in pairwise(inside))


def slow(made, losses, int8_ms=0.5) -> Slow:
    rows = [replace(row, loss=loss, fp32_ms=1.0, int8_ms=int8_ms) for row, loss in zip(made.rows, losses, strict=False)]
    return Slow(made, rows)


def test_every_layer_is_known_by_both_names_and_times_add_up(made):
    assert len(made.rows) == len(made.layers) > 20
    assert made.rows[0].name == "stem.0.conv"
    assert made.rows[0].node.startswith("/stem")
    assert all(row.loss >= 0 and row.doubt > 0 for row in made.rows)
    assert all(row.fp32_ms >= 0 and row.int8_ms >= 0 for row in made.rows)
    assert made.predict(frozenset()) == pytest.approx(sum(row.fp32_ms for row in made.rows))


def test_what_matters_least_goes_into_int8_first(made):
    mixer = slow(made, [9.0, 1.0, 5.0, 1.5])
    assert mixer.choose(3.7) == {mixer.rows[1].node}, "two borders cost .2"


def test_what_is_measured_to_be_too_slow_is_chosen_anew(made):
    """Half a millisecond less is one layer's, but its two borders make it too slow."""
    mixer = slow(made, [9.0, 1.0, 5.0, 1.5])
    found = mixer.choose(3.5)
    assert mixer.asked[0] == {mixer.rows[1].node}
    assert len(found) == 2
    assert mixer.measure([found], None)[0].ms <= 3.5


def test_what_is_found_in_between_uses_what_the_limit_leaves(made):
    """Of sixteen layers with a border each: not all go into int8 though the first choice is too slow."""
    mixer = slow(made, [float(2**i) for i in range(16)])
    found = mixer.choose(13.0)
    assert len(set(mixer.asked)) == len(mixer.asked), "none is measured twice"
    ms = mixer.measure([found], None)[0].ms
    assert mixer.measure([mixer.asked[0]], None)[0].ms > 13.0
    assert 12.4 < ms <= 13.0
    assert len(found) < 8, "those that matter least, and few of them"


def test_a_limit_that_fp32_meets_changes_nothing(made):
    assert slow(made, [1.0, 1.0, 1.0]).choose(3.0) == frozenset()


def test_a_size_puts_large_layers_that_matter_little_into_int8(made):
    mixer = slow(made, [9.0, 1.0, 5.0])
    mixer.rows = [replace(row, weights=count) for row, count in zip(mixer.rows, (10, 100, 1000), strict=True)]
    assert mixer.choose(most_bytes=4440 - 300) == {mixer.rows[1].node}
    assert mixer.choose(most_bytes=4440 - 3000) == {mixer.rows[2].node}
    assert mixer.choose(most_bytes=4440 - 3300) == {mixer.rows[1].node, mixer.rows[2].node}
    assert mixer.choose(limit_ms=2.7, most_bytes=4440) == {mixer.rows[1].node}, "both limits hold"
    with pytest.raises(LimitError, match=r"all weights in int8 are 1\.084 KB"):
        mixer.choose(most_bytes=1000)


def test_without_a_limit_there_is_nothing_to_do(run, tmp_path):
    with pytest.raises(UsageError, match="give a limit: --latency 3ms, --size 1MB, or both"):
        api.quantize(run.folder, None, tmp_path / "net.onnx")


def test_layers_that_are_slower_in_int8_stay(made):
    with pytest.raises(LimitError, match="the fastest that was measured takes 3 ms"):
        slow(made, [0.0, 0.0, 0.0], int8_ms=1.5).choose(2.9)


def test_where_profiles_are_wrong_all_in_int8_is_tried_too(made):
    """The profile says that one layer gains nothing, but between layers in int8 it makes two borders."""
    mixer = slow(made, [1.0, 1.0, 1.0])
    mixer.rows[1] = replace(mixer.rows[1], int8_ms=1.01)
    assert mixer.choose(2.05) == mixer.every


def test_all_of_it_writes_what_was_measured(run, tmp_path):
    found = api.quantize(run.folder, 1000.0, tmp_path / "net.onnx", BRIEF, probes=1)
    assert [mix.name for mix in found.mixes] == ["fp32", "mixed", "int8"]
    assert [mix.in_int8 for mix in found.mixes] == [0, 0, len(found.layers)]
    data = found_data(run)
    right = accuracy(trained_job(run).module, data, data.test)
    assert found.mixes[0].accuracy == found.mixes[1].accuracy == pytest.approx(right)
    assert not any(node.op_type == "QuantizeLinear" for node in onnx.load(tmp_path / "net.onnx").graph.node)
    assert list(json.loads((tmp_path / "net.onnx.json").read_text())["files"]) == ["net.onnx"]
    assert Quantized.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_a_mix_holds_both_precisions(made):
    mix = frozenset(row.node for row in made.rows[:5])
    nodes = onnx.load_from_string(made.made(mix)[".onnx"]).graph.node
    quantized = {node.input[0] for node in nodes if node.op_type == "DequantizeLinear"}
    weights = [node.input[1] for node in nodes if node.op_type in ("Conv", "Gemm")]
    assert sum(any(name.startswith(weight.removesuffix("_DequantizeLinear_Output")) for name in quantized)
               for weight in weights) == 5  # fmt: skip
    assert 0 <= made.accuracy(mix) <= 1


@pytest.mark.parametrize(("device", "said"), [
    ("roofline-example", "quantizes no single layers"), ("pytorch-cpu", "quantizes no single layers"),
])  # fmt: skip
def test_devices_without_int8_are_refused(run, tmp_path, device, said):
    with pytest.raises(UsageError, match=f"--device {device}: {said}"):
        api.quantize(run.folder, 1.0, tmp_path / "net.onnx", device)


def test_a_folder_that_is_not_there_is_told_before_anything_is_measured(run, tmp_path):
    with pytest.raises(UsageError, match="there is no folder"):
        api.quantize(run.folder, 1.0, tmp_path / "none" / "net.onnx")


def test_the_files_of_a_run_are_left_alone(run):
    with pytest.raises(UsageError, match="choose a place outside"):
        api.quantize(run.folder, 1.0, run.folder / "model.onnx")
