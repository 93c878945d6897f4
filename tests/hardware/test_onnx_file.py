"""ONNX files: what leaves PyTorch computes the same, and what anybody sends is data or is refused in one line."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from surgenas.core.errors import DataError, UsageError
from surgenas.hardware.onnx_file import add_metadata, read_onnx, run_unoptimised, to_onnx

SHAPE = (3, 8, 8)


class Tiny(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5))


def images(N, seed=0):
    return np.random.default_rng(seed).standard_normal((N, *SHAPE), dtype=np.float32)


def graph(dims, elem_type=TensorProto.FLOAT, weights=(), inputs=1):
    """A model that hands its input through, of the dimensions asked for; a string leaves one open."""
    values = [helper.make_tensor_value_info(f"images{i}", elem_type, dims) for i in range(inputs)]
    out = helper.make_tensor_value_info("logits", elem_type, dims)
    made = helper.make_graph([helper.make_node("Identity", ["images0"], ["logits"])], "g", values, [out], weights)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


@pytest.mark.parametrize(("batch", "fed"), [(1, 1), (3, 3), (None, 2), (None, 5)])
def test_the_file_computes_what_the_network_does(batch, fed):
    network = Tiny().eval()
    found = run_unoptimised(to_onnx(network, SHAPE, batch=batch), images(fed))
    with torch.no_grad():
        assert np.allclose(found, network(torch.from_numpy(images(fed))).numpy(), atol=1e-5)


def test_a_file_of_a_fixed_batch_refuses_another():
    with pytest.raises(DataError, match="ONNX Runtime cannot run this model"):
        run_unoptimised(to_onnx(Tiny(), SHAPE, batch=2), images(3))


def test_the_network_is_exported_in_eval_mode_and_keeps_the_mode_it_had():
    network = Tiny().train()
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    in_training = to_onnx(network, SHAPE)
    assert network.training
    assert all(torch.equal(buffer, before[name]) for name, buffer in network.named_buffers())
    network.eval()
    assert np.array_equal(run_unoptimised(in_training, images(1)), run_unoptimised(to_onnx(network, SHAPE), images(1)))
    assert not network.training


def test_an_open_batch_is_left_open_and_facts_are_carried_without_changing_what_is_computed():
    plain = to_onnx(Tiny(), SHAPE, batch=None)
    carrying = add_metadata(plain, {"classes": ["a", "é"], "mean": [0.5, 0.25]})
    proto = onnx.load_from_string(carrying)
    onnx.checker.check_model(proto)
    facts = {entry.key: json.loads(entry.value) for entry in proto.metadata_props}
    assert facts == {"surgenas.classes": ["a", "é"], "surgenas.mean": [0.5, 0.25]}
    assert proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"
    assert np.array_equal(run_unoptimised(plain, images(2)), run_unoptimised(carrying, images(2)))


def test_a_file_that_was_written_is_read_with_weights_inside_or_beside_it(tmp_path):
    model = to_onnx(Tiny(), SHAPE)
    (tmp_path / "one.onnx").write_bytes(model)
    onnx.save(onnx.load_from_string(model), tmp_path / "two.onnx", save_as_external_data=True, location="w.bin",
              size_threshold=0)  # fmt: skip
    assert (tmp_path / "w.bin").stat().st_size > 0
    for name in ("one.onnx", "two.onnx"):
        read = read_onnx(tmp_path / name).SerializeToString()
        assert np.array_equal(run_unoptimised(read, images(1)), run_unoptimised(model, images(1)))


def external(location):
    """A weight of 16 bytes that lies in a file elsewhere."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    return tensor


@pytest.mark.parametrize("place", ["weight", "constant"])
@pytest.mark.parametrize("location", ["../secret", "{secret}", "down/../../secret", "link"])
def test_weights_outside_the_files_folder_are_refused(tmp_path, location, place):
    """By a path up, an absolute one, a detour and a link; for a weight or for a constant in a node."""
    secret, folder = tmp_path / "secret", tmp_path / "sent"
    (folder / "down").mkdir(parents=True)
    for file in (secret, folder / "own"):
        file.write_bytes(bytes(16))
    (folder / "link").symlink_to(secret)

    def read(location):
        tensor = external(location)
        model = graph([1, *SHAPE], weights=[tensor] if place == "weight" else [])
        if place == "constant":
            model.graph.node.insert(0, helper.make_node("Constant", [], ["w"], value=tensor))
        (folder / "x.onnx").write_bytes(model.SerializeToString())
        return read_onnx(folder / "x.onnx")

    assert len(read("own").graph.node) == (2 if place == "constant" else 1)
    with pytest.raises(DataError, match=r"x\.onnx: (refused|not a usable)") as caught:
        read(location.format(secret=secret))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "error", "named"),
    [(None, UsageError, "No such file or directory; expected an ONNX file"), (b"no model", DataError, "not a usable"),
     (b"", DataError, "not a usable ONNX model")],
)  # fmt: skip
def test_a_file_that_is_none_says_so_in_one_line(tmp_path, content, error, named):
    path = tmp_path / "x.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=named) as caught:
        read_onnx(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UsageError, match="Is a directory"):
        read_onnx(tmp_path)


def test_what_computes_no_numbers_is_refused():
    network = Tiny()
    nn.init.constant_(network[-1].bias, float("nan"))
    with pytest.raises(DataError, match="not numbers"):
        run_unoptimised(to_onnx(network, SHAPE), images(1))
    with pytest.raises(DataError, match="cannot run this model") as caught:
        run_unoptimised(b"no model", images(1))
    assert "\n" not in str(caught.value)
