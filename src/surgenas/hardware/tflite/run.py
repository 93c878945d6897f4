"""What does an int8 .tflite file compute? Run by LiteRT on this processor, and by TensorFlow Lite for Microcontrollers.

The two share reference kernels, so they compute the same integers; LiteRT's optimised kernels round otherwise, and are
ten times as fast.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from surgenas.core.errors import DataError, EnvironmentFault
from surgenas.hardware.runtimes import Images, silence_output
from surgenas.hardware.tflite.writer import Scale, Values

ARENA_BYTES = 1 << 26
"""Memory that the microcontroller's interpreter may plan with here; a search's limits are the compiler's to check."""


def logits(model: bytes, images: Images) -> Images:
    """What the file computes for images (N, C, H, W), (N, classes), as LiteRT's optimised kernels run it."""
    found, _, scale = _by_litert(model, images, reference=False)
    answers: Images = scale.values(found)
    return answers


def steps_apart(model: bytes, images: Images) -> int:
    """How far tflite-micro is from LiteRT's reference kernels at most, in integer steps of a logit; 0 is the same."""
    expected, asked, _ = _by_litert(model, images, reference=True)
    return int(np.abs(expected.astype(int) - _by_micro(model, asked).astype(int)).max())


def output_shape(model: bytes) -> tuple[int, ...]:
    """The shape of what the file computes; raises DataError, in LiteRT's words, for a file that it does not load."""
    shape = _opened(model, reference=True).get_output_details()[0]["shape"]
    return tuple(int(size) for size in shape)


def _opened(model: bytes, *, reference: bool) -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    except ImportError as error:
        raise EnvironmentFault(f"LiteRT cannot be imported ({error}); pip install 'surgenas[ethos-u]'") from error
    # the delegate that LiteRT takes by default ends the process on some int8 networks (docs/microcontrollers.md, 2)
    kernels = OpResolverType.BUILTIN_REF if reference else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        with silence_output():
            interpreter = Interpreter(model_content=model, num_threads=1, experimental_op_resolver_type=kernels)
            interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise DataError(f"LiteRT does not load the int8 file ({str(error).splitlines()[0]})") from error
    return interpreter


def _by_litert(model: bytes, images: Images, *, reference: bool) -> tuple[Values, Values, Scale]:
    """(the integers that come out (N, classes), those that go in (N, H, W, C), what the former stand for)."""
    interpreter = _opened(model, reference=reference)
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    asked = _scale(source).integers(images.transpose(0, 2, 3, 1), np.int8)
    found = []
    for image in asked:
        interpreter.set_tensor(source["index"], image[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(sink["index"]))
    return np.concatenate(found), asked, _scale(sink)


def _scale(details: dict[str, Any]) -> Scale:
    scale, zero_point = details["quantization"]
    if details["dtype"] is not np.int8 or not scale:
        raise DataError("the file takes or gives values that are not int8 with one scale")
    return Scale(np.array([scale]), zero_point)


def _by_micro(model: bytes, asked: Values) -> Values:
    try:
        from tflite_micro import runtime
    except ImportError as error:
        raise EnvironmentFault(f"tflite-micro cannot be imported ({error}); pip install 'surgenas[ethos-u]'") from error
    try:
        with silence_output():
            interpreter = runtime.Interpreter.from_bytes(model, arena_size=ARENA_BYTES)
            found = []
            for image in asked:
                interpreter.set_input(image[None], 0)
                interpreter.invoke()
                found.append(np.array(interpreter.get_output(0)))
    except (RuntimeError, ValueError) as error:
        raise DataError(f"tflite-micro does not run the int8 file ({str(error).splitlines()[0]})") from error
    return np.concatenate(found)
