"""What `surgenas quantize` prints."""

from __future__ import annotations

from surgenas.core.cost import Estimate
from surgenas.report.quantized_text import SHOWN, mixes_table
from surgenas.studies.quantize import LayerBits, Mix, Quantized


def mix(name: str, in_int8: int) -> Mix:
    return Mix(name, in_int8, 2048, 2.0, Estimate(name, "paper", {"ms": 2.5}, "paper", "1"), 0.875)


def test_mixes_stand_beside_each_other_and_the_most_sensitive_layers_first():
    layers = tuple(LayerBits(f"layer{i}", f"/{i}", 8, float(i), 0.5, 1.0, 0.5, in_int8=i < 3) for i in range(12))
    mixes = (mix("fp32", 0), mix("mixed", 3), mix("int8", 12))
    found = Quantized("box", 3.0, 2**20, mixes, layers, ("a.onnx", "a.onnx.json"))
    text = mixes_table(found)
    assert text.startswith("limit 3 ms and 1 MB of weights on box")
    assert text.endswith("wrote a.onnx, a.onnx.json")
    (row,) = [line.split() for line in text.splitlines() if line.strip().startswith("mixed")]
    assert row == ["mixed", "3", "of", "12", "2", "KB", "estimated", "2.5", "ms", "2", "ms", "87.50%"]
    shown = [line.split()[0] for line in text.splitlines() if line.strip().startswith("layer")]
    assert shown == [f"layer{i}" for i in range(11, 11 - SHOWN, -1)]
