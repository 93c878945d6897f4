"""Devices and the one way in which latency is measured on them.

A device name is catalogued here, or a "package.module:factory" path; a factory takes nothing and returns a Device.
"""

CATALOG = {
    "onnxruntime-cpu": "surgenas.hardware.local:onnxruntime_cpu",
}
RUNTIMES = {
    "onnxruntime": "surgenas.hardware.runtimes.onnxruntime:OnnxRuntime",
}
