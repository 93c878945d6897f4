"""The lines that classify one image with a model file and model.json, with nothing of ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from surgenas.runs.names import ONNX
from surgenas.runs.results import ModelFile

SNIPPET = """\
import json
import numpy as np
{imports}
from PIL import Image, ImageOps

use = json.load(open("model.json"))
photo = Image.open("photo.jpg")
photo.draft("RGB", (2 * use["width"], 2 * use["height"]))  # a large JPEG is read small, as in training
upright = ImageOps.exif_transpose(photo).convert("RGB")
fit = {{"crop": ImageOps.fit, "pad": ImageOps.pad, "squash": Image.Image.resize}}[use["fit"]]
image = fit(upright, (use["width"], use["height"]), Image.Resampling[use["interpolation"].upper()])
standard = (np.asarray(image) * use["scale"] - use["mean"]) / use["std"]
x = {batch}standard.transpose(2, 0, 1)[None]{end}.astype(np.float32, order="C")
{run}
print(use["classes"][logits[0].argmax()])
"""
RUN = {
    ".onnx": ("import onnxruntime", 'logits = onnxruntime.InferenceSession("{name}").run(None, {{"images": x}})[0]'),
    ".xml": (
        "import openvino",
        'model = openvino.compile_model("{name}", "CPU", {{"INFERENCE_PRECISION_HINT": "{hint}"}})\n'
        "logits = model(x)[0]",
    ),
    ".tflite": (
        "from ai_edge_litert.interpreter import Interpreter",
        'model = Interpreter("{name}")\nmodel.allocate_tensors()\n'
        'model.set_tensor(model.get_input_details()[0]["index"], x)\nmodel.invoke()\n'
        'logits = model.get_tensor(model.get_output_details()[0]["index"])',
    ),
    ".param": (
        "import ncnn",
        "model = ncnn.Net()\n"
        "model.opt.use_fp16_storage = model.opt.use_fp16_packed = model.opt.use_fp16_arithmetic = {half}\n"
        'model.load_param("{name}")\nmodel.load_model("{stem}.bin")\n'
        "extractor = model.create_extractor()\n"
        "extractor.input(model.input_names()[0], ncnn.Mat(x[0]).clone())\n"
        "logits = np.array(extractor.extract(model.output_names()[0])[1])[None]",
    ),
    ".mnn": (
        "import MNN",
        'model = MNN.Interpreter("{name}")\n'
        'session = model.createSession({{"backend": "CPU", "precision": "high"}})\n'
        "tensor = lambda a: MNN.Tensor(a.shape, MNN.Halide_Type_Float, a, MNN.Tensor_DimensionType_Caffe)\n"
        "model.getSessionInput(session).copyFrom(tensor(x))\n"
        "model.runSession(session)\n"
        "sink = model.getSessionOutput(session)\n"
        "found = tensor(np.zeros(sink.getShape(), np.float32))\n"
        "sink.copyToHostTensor(found)\n"
        "logits = found.getNumpyData()",
    ),
    ".pte": (
        "import torch\nfrom executorch.runtime import Runtime",
        'model = Runtime.get().load_program("{name}").load_method("forward")\n'
        "logits = model.execute([torch.from_numpy(x)])[0].numpy()",
    ),
    ".pt2": (
        "import torch",
        'model = torch.export.load("{name}").module()\nlogits = model(torch.from_numpy(x)).detach().numpy()',
    ),
}
"""How a file of a suffix is loaded and run: what is imported for that, and the lines."""
INT8_TFLITE = (
    "from ai_edge_litert.interpreter import Interpreter, OpResolverType",
    "plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES\n"
    'model = Interpreter("{name}", experimental_op_resolver_type=plain)\n'
    "model.allocate_tensors()\n"
    "source, sink = model.get_input_details()[0], model.get_output_details()[0]\n"
    'scale, zero = source["quantization"]\n'
    'q = (x.transpose(0, 2, 3, 1) / scale + zero).round().clip(-128, 127).astype("int8")\n'
    'model.set_tensor(source["index"], q)\n'
    "model.invoke()\n"
    'scale, zero = sink["quantization"]\n'
    'logits = scale * (model.get_tensor(sink["index"]).astype("float32") - zero)',
)
"""The same of a .tflite file that takes integers, channels last, as microcontrollers have it."""


def snippet(name: str = ONNX, file: ModelFile = ModelFile()) -> str:  # noqa: B008  a frozen value
    """A program that prints the class of photo.jpg, for a model file whose suffix is in RUN."""
    whole = Path(name).suffix == ".tflite" and file.precision == "int8"
    imports, run = INT8_TFLITE if whole else RUN[Path(name).suffix]
    several = file.batch is not None and file.batch > 1  # it takes no fewer
    return SNIPPET.format(
        imports=imports,
        run=run.format(
            name=name,
            stem=Path(name).stem,
            hint="bf16" if file.precision == "bf16" else "f32",
            half=file.precision == "fp16",
        ),
        batch="np.repeat(" if several else "",
        end=f", {file.batch}, axis=0)" if several else "",
    )


def snippets(files: Mapping[str, ModelFile]) -> list[str]:
    """A program for each file that can be opened, the device's own first."""
    return [snippet(name, file) for name, file in reversed(list(files.items())) if Path(name).suffix in RUN]
