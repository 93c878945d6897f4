"""Devices and the one way in which latency is measured on them.

A device is data: a file in `device_files/`, or one of yours (hardware.devices). A "package.module:factory" path works
too; a factory takes nothing and returns a Device.
"""

RUNTIMES = {
    "onnxruntime": "surgenas.hardware.runtimes.onnxruntime:OnnxRuntime",
    "openvino": "surgenas.hardware.runtimes.openvino:OpenVino",
    "litert": "surgenas.hardware.runtimes.litert:LiteRT",
    "executorch": "surgenas.hardware.runtimes.executorch:ExecuTorch",
    "pytorch": "surgenas.hardware.runtimes.pytorch:PyTorch",
    "torch-compile": "surgenas.hardware.runtimes.pytorch:TorchCompile",
}
