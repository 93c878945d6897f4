"""Whatever somebody hands to `surgenas measure`: networks by file or by name, and files that are no good."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto, helper

from surgenas import api
from surgenas.core import moves
from surgenas.core.errors import DataError, SurgenasError, UsageError
from surgenas.hardware.devices import make_target
from surgenas.hardware.onnx_file import read_onnx, run_unoptimised, to_onnx
from surgenas.hardware.onnx_input import fix_shape
from surgenas.hardware.target import all_costs
from surgenas.report.measure_text import measurement_table
from surgenas.studies.sources import read_source
from surgenas.testing import MuteDevice


def onnx_file(path, shape=("N", 3, 8, 8), value=1.0, **changes):
    """images -> sum of weight * images over space: (N, C)."""
    weight = helper.make_tensor("weight", TensorProto.FLOAT, (1, 3, 1, 1), [value] * 3)
    axes = helper.make_tensor("axes", TensorProto.INT64, (2,), [2, 3])
    nodes = [
        helper.make_node("Mul", ["images", "weight"], ["scaled"]),
        helper.make_node("ReduceSum", ["scaled", "axes"], ["logits"], keepdims=0),
    ]
    images = helper.make_tensor_value_info("images", changes.get("dtype", TensorProto.FLOAT), shape)
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ("N", 3))
    graph = helper.make_graph(nodes, "g", [images], [logits], [weight, axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    if "location" in changes:
        stored = model.graph.initializer[0]
        stored.ClearField("float_data")
        stored.data_location = TensorProto.EXTERNAL
        stored.external_data.add(key="location", value=changes["location"])
    path.write_bytes(model.SerializeToString())
    return path


def test_a_file_computes_what_it_says_and_open_dimensions_are_closed(tmp_path):
    model = read_onnx(onnx_file(tmp_path / "net.onnx", ("N", 3, "H", "W"), value=2.0))
    closed = fix_shape(model, 4, (8, 8), "net.onnx")
    assert closed.shape == (3, 8, 8)
    output = run_unoptimised(closed.model, np.ones((4, 3, 8, 8), np.float32))
    assert np.allclose(output, 128.0)
    with pytest.raises(DataError, match="--resolution"):
        fix_shape(model, 4, (0, 0), "net.onnx")
    for shape, says in ((("N", "C", 8, 8), "channels open"), ((1, 3, 0, 0), "dimension of 0")):
        with pytest.raises(DataError, match=says):
            fix_shape(read_onnx(onnx_file(tmp_path / "bad.onnx", shape)), 1, (8, 8), "bad.onnx")


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda p: p.write_bytes(b"no model at all"), "not a usable ONNX model"),
        (lambda p: onnx_file(p, location="../../secret"), "outside its folder"),
        (lambda p: onnx_file(p, location="/etc/passwd"), "outside its folder"),
        (lambda p: onnx_file(p, shape=("N", 3)), "images"),
        (lambda p: onnx_file(p, dtype=TensorProto.INT64), "usable|float32"),
    ],
)
def test_a_file_that_is_no_good_is_refused_in_one_line(tmp_path, make, named):
    make(tmp_path / "x.onnx")
    with pytest.raises(DataError, match=named) as caught:
        read_source(str(tmp_path / "x.onnx"))
    assert "\n" not in str(caught.value)


def test_all_files_and_names_that_cannot_be_read_are_told_at_once(tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"no model at all")
    with pytest.raises(
        DataError, match=r"x\.onnx: not a usable ONNX model.*mobilenetv3_smal_050.*mobilenetv3_small_050"
    ):
        api.measure([str(tmp_path / "x.onnx"), "resnet18", "mobilenetv3_smal_050"], ["onnxruntime-cpu"])


def test_values_that_are_not_numbers_are_refused(tmp_path):
    job = read_source(str(onnx_file(tmp_path / "nan.onnx", value=float("nan"))))
    with pytest.raises(DataError, match="not numbers"):
        all_costs(make_target("onnxruntime-cpu").price([job]))


def test_another_fixed_size_and_what_is_not_there_are_named(tmp_path):
    with pytest.raises(DataError, match="fixed dimension of 8"):
        read_source(str(onnx_file(tmp_path / "net.onnx")), (16, 16))
    for what, named in (("no.onnx", "No such file"), ("mobilenet_x", "mobilenet"), ("what", "mobilenet")):
        with pytest.raises(UsageError, match=named):
            read_source(what)


BRIEF = "surgenas.testing:brief_device"


def test_networks_of_every_kind_in_one_table_with_failures_beside(tmp_path, small, listener):
    arch, network = tmp_path / "arch.json", small.build(moves.uniform_architecture(small, "k3e3"))
    arch.write_text(moves.uniform_architecture(small, "k3e3").to_json())
    (tmp_path / "net.onnx").write_bytes(to_onnx(network, small.input_shape, batch=None))
    onnx_file(tmp_path / "nan.onnx", ("N", 3, "H", "W"), value=float("nan"))
    what = [str(arch), str(tmp_path / "net.onnx"), str(tmp_path / "nan.onnx")]
    rows = {row.name: row for row in api.measure(what, [BRIEF], resolution=16, yardstick=str(arch)).measurements}
    assert [*rows] == what
    assert "not numbers" in rows[what[2]].error
    assert rows[what[0]].to_mobilenetv2 is None, "it is the yardstick"
    poor = "D" in {rows[what[0]].cost.grade, rows[what[1]].cost.grade}
    assert (rows[what[1]].to_mobilenetv2 is None) == poor
    assert rows[what[1]].cost.max_difference < 1e-4
    assert all(1 <= low <= high <= 2 for low, high in (rows[what[0]].rank, rows[what[1]].rank))
    with pytest.raises(SurgenasError, match=r"nan\.onnx: .*not numbers"):
        api.measure(what[2:], [BRIEF], resolution=16, yardstick=str(arch))
    api.measure(what[:1], [BRIEF], resolution=32, yardstick=str(arch), progress=listener)
    assert any(f"measured at {small.resolution} px" in said for said in listener.said)


def test_what_a_device_cannot_tell_loses_no_table_and_a_missing_one_is_said_first(listener, monkeypatch):
    found = api.measure(["mobilenetv3_small_050"], ["surgenas.testing:MuteDevice"], layers=True, progress=listener)
    assert found.measurements[0].cost.ms > 0
    assert found.measurements[0].layers is None
    assert "layers are not told" in "".join(listener.said)
    monkeypatch.setattr(MuteDevice, "price", lambda *_, **__: pytest.fail("measured before all devices were there"))
    with pytest.raises(UsageError, match="no-such"):
        api.measure(["mobilenetv3_small_050"], ["surgenas.testing:MuteDevice", "no-such"])


def images_file(path, shape, kind=TensorProto.FLOAT):
    """Images of this shape and type -> their mean over space: (N, C)."""
    last = shape[3] == 3
    axes = helper.make_tensor("axes", TensorProto.INT64, (2,), [1, 2] if last else [2, 3])
    nodes = [
        helper.make_node("Cast", ["images"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["cast", "axes"], ["logits"], keepdims=0),
    ]
    images = helper.make_tensor_value_info("images", kind, shape)
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, (shape[0], 3))
    graph = helper.make_graph(nodes, "g", [images], [logits], [axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return str(path)


@pytest.mark.parametrize(
    ("shape", "kind", "taken"),
    [((1, 96, 96, 3), TensorProto.FLOAT, "96 px in NHWC, float32"),
     ((1, 64, 256, 3), TensorProto.UINT8, "64x256 px in NHWC, uint8")],
)  # fmt: skip
def test_a_file_is_fed_as_it_asks_and_stands_beside_as_many_pixels(tmp_path, shape, kind, taken):
    file = images_file(tmp_path / "net.onnx", shape, kind)
    found = api.measure([file], [BRIEF], yardstick="test_efficientnet")
    theirs, mobilenet = found.measurements
    assert theirs.notes == (f"taken for images of {taken}",)
    assert theirs.cost.ms > 0
    assert mobilenet.name == f"MobileNetV2 {taken.partition(' in')[0]}"
    assert mobilenet.cost.ms > 0
    assert f"{file}: taken for images of {taken}" in measurement_table(found)
    assert theirs.to_json()["notes"] == theirs.notes
    assert "notes" not in mobilenet.to_json()


@pytest.mark.parametrize("shape", [("N", 8, 4, 3), ("N", 3, 8, 4)])
@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.UINT8], ids=str)
@pytest.mark.parametrize("device", ["onnxruntime-cpu", "openvino-cpu"])
def test_every_order_of_axes_and_type_is_fed_in_batches(tmp_path, shape, kind, device):
    if device == "openvino-cpu":
        pytest.importorskip("openvino")
    job = read_source(images_file(tmp_path / "net.onnx", shape, kind))
    images = (np.arange(5 * 3 * 8 * 4).reshape(5, 3, 8, 4) % 251).astype(np.float32)
    found = replace(make_target(device), batch=2).logits(job, images)
    assert np.allclose(found, images.mean((2, 3)), atol=0.1)
