#!/usr/bin/env bash
# onnxruntime 1.31.1: by default, zeros that a Pad puts around images are dropped where a MaxPool follows.
#
# The optimizer moves the Pad into the pool's own padding. A pool's own padding is no value at all (no maximum takes
# it), a Pad's zeros are values: where images are negative at their border, the maximum there is 0. With optimizations
# off, or with the optimizer named Pad_Fusion off, the zeros count. Before an AveragePool that counts its padding the
# move is right. nn.ZeroPad2d before nn.MaxPool2d, as networks from TensorFlow have it, is exported as such a pair; after
# a ReLU nobody notices.
#
# Expected: an optimized graph computes what the graph says. Seen (opset 18, a 4 x 4 image of -1, a pool of 3 x 3, stride
# 1): a border of 0 unoptimized, of -1 by default.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet onnxruntime==1.31.1 onnx==1.23.2 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

pads = numpy_helper.from_array(np.array([0, 0, 1, 1, 0, 0, 1, 1]), "pads")
nodes = [
    helper.make_node("Pad", ["images", "pads"], ["wide"]),
    helper.make_node("MaxPool", ["wide"], ["found"], kernel_shape=[3, 3]),
]
taken = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 1, 4, 4])
given = helper.make_tensor_value_info("found", TensorProto.FLOAT, [1, 1, 4, 4])
graph = helper.make_graph(nodes, "pooled", [taken], [given], [pads])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString()


def border(level, without=None):
    options = ort.SessionOptions()
    options.graph_optimization_level, options.log_severity_level = level, 3
    session = ort.InferenceSession(model, options, ["CPUExecutionProvider"], disabled_optimizers=without)
    return float(session.run(None, {"images": -np.ones((1, 1, 4, 4), np.float32)})[0][0, 0, 0, 0])


levels = ort.GraphOptimizationLevel
plain, default = border(levels.ORT_DISABLE_ALL), border(levels.ORT_ENABLE_ALL)
without = border(levels.ORT_ENABLE_ALL, ["Pad_Fusion"])
print(f"onnxruntime {ort.__version__}: a border of {plain} unoptimized, {default} by default, {without} without Pad_Fusion")
assert plain == without == 0
assert default == -1, "the zeros count by default: mended"
PYTHON
