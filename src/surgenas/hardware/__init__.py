"""How is latency measured or estimated, and on which targets?

A device is data: a file in `device_files/`, or one of yours (hardware.devices). A "package.module:factory" path works
too; a factory takes nothing and returns a Target.
"""

RUNTIMES = {
    "onnxruntime": "surgenas.hardware.runtimes.onnxruntime:OnnxRuntime",
    "openvino": "surgenas.hardware.runtimes.openvino:OpenVino",
    "litert": "surgenas.hardware.runtimes.litert:LiteRT",
    "executorch": "surgenas.hardware.runtimes.executorch:ExecuTorch",
    "ncnn": "surgenas.hardware.runtimes.ncnn:Ncnn",
    "mnn": "surgenas.hardware.runtimes.mnn:Mnn",
    "pytorch": "surgenas.hardware.runtimes.pytorch:PyTorch",
    "torch-compile": "surgenas.hardware.runtimes.pytorch:TorchCompile",
    "onnxruntime-cuda": "surgenas.hardware.runtimes.onnxruntime:OnnxRuntimeCuda",
    "onnxruntime-tensorrt": "surgenas.hardware.runtimes.onnxruntime:OnnxRuntimeTensorRT",
    "pytorch-cuda": "surgenas.hardware.runtimes.cuda:PyTorchCuda",
    "torch-compile-cuda": "surgenas.hardware.runtimes.cuda:TorchCompileCuda",
    "cuda-graph": "surgenas.hardware.runtimes.cuda:CudaGraph",
}

ESTIMATORS = {
    "table": "surgenas.hardware.estimated.table:TableTarget",
    "roofline": "surgenas.hardware.estimated.roofline:RooflineTarget",
    "crossbar": "surgenas.hardware.estimated.crossbar:CrossbarTarget",
    "accelerator": "surgenas.hardware.estimated.accelerator:AcceleratorTarget",
    "ethos-u": "surgenas.hardware.estimated.ethosu:EthosUTarget",
}
"""What a device file may name as its `estimator`: frozen dataclasses whose fields are the other keys of the file."""
