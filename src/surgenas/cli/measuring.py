"""Commands that measure on a device: which network is faster, how far it can grow, which operators suit the device."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from surgenas.cli.options import Device, Json, Layout, Seed, Width, app, progress, show
from surgenas.core.errors import NoisyError, SurgenasError


@app.command()
def measure(
    what: Annotated[list[str], typer.Argument(help="Architecture files, run folders, ONNX files, timm model names.")],
    device: Annotated[list[str] | None, typer.Option(help="Where to measure; may be given several times.")] = None,
    resolution: Annotated[
        int,
        typer.Option(help="Size of timm models and ONNX files of open size; runs and architectures have one.", min=0),
    ] = 0,
    layers: Annotated[bool, typer.Option(help="Also the share of the latency by part of the network.")] = False,
    strict: Annotated[bool, typer.Option(help="Fail (6) if a latency is of grade D.")] = False,
    seed: Seed = 0,
    engine: Annotated[str, typer.Option(help="Who measures: here, ray, or ray://HOST:10001.")] = "here",
    as_json: Json = False,
) -> None:
    """Measure networks side by side, MobileNetV2 among them; networks that cannot be told apart tie.

    Example: surgenas measure runs/1 net.onnx efficientnet_b0 --resolution 128
    """
    from surgenas import api
    from surgenas.report import measure_text

    found = api.measure(
        what, device or api.DEVICES, resolution=resolution, layers=layers, seed=seed, engine=engine,
        progress=progress(),
    )  # fmt: skip
    show(found, as_json, measure_text.measurement_table(found))
    failed = [row.name for row in found.measurements if row.error is not None and row.name in what]
    if failed:
        raise SurgenasError(f"no latency of {', '.join(failed)}; the reasons are above")
    if strict and (poor := [row.name for row in found.measurements if row.cost and row.cost.grade == "D"]):
        raise NoisyError(f"too noisy to say (grade D): {', '.join(poor)}; measure when the machine is idle")


@app.command()
def scale(
    arch: Annotated[Path, typer.Argument(help="An architecture file or a run folder.")],
    device: Device = "onnxruntime-cpu",
    knob: Annotated[str, typer.Option(help="What grows: width, resolution or depth.")] = "width",
    most: Annotated[float, typer.Option(help="The largest scale that is measured.")] = 2.0,
    slack: Annotated[float, typer.Option(help="Share of the latency that growing may cost.")] = 0.03,
    train_data: Annotated[
        str | None, typer.Option("--data", help="Also train before and after, on these images.")
    ] = None,
    epochs: Annotated[int, typer.Option(help="Epochs of that training.")] = 25,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="Folder for what is found.")] = Path("scaled"),
    as_json: Json = False,
) -> None:
    """Grow a network as far as its device does not charge for it (Comfort Zone).

    Example: surgenas scale runs/1 --device openvino-cpu --data photos/
    """
    from surgenas import api
    from surgenas.report import text

    how: dict[str, Any] = {"knob": knob, "most": most, "slack": slack, "data": train_data, "epochs": epochs}
    found = api.scale(arch, device, out, seed=seed, progress=progress(), **how)
    show(found, as_json, text.scale_table(found))


@app.command()
def operators(
    device: Annotated[list[str] | None, typer.Option(help="Where to measure; may be given several times.")] = None,
    space: Annotated[str, typer.Option(help="The pool: operators (32 of four families) or shuffle.")] = "operators",
    layout: Layout = "small",
    resolution: Annotated[int, typer.Option(help="Image height and width.", min=1)] = 64,
    width: Width = 1.0,
    keep: Annotated[int, typer.Option(help="How many operators stay.")] = 4,
    b: Annotated[float, typer.Option(help="How much latency counts against capacity.")] = 1.0,
    per_layer: Annotated[bool, typer.Option(help="Choose for each layer by itself.")] = False,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="Folder for the space files and the page.")] = Path("operators"),
    as_json: Json = False,
) -> None:
    """Select the operators that suit a device; writes space files for `surgenas search --space FILE`.

    Example: surgenas operators --device onnxruntime-cpu --device openvino-cpu --resolution 64
    """
    from surgenas import api
    from surgenas.report import text

    how: dict[str, Any] = {"space": space, "layout": layout, "resolution": resolution, "width": width, "keep": keep}
    found = api.operators(device or api.DEVICES, out, b=b, per_layer=per_layer, seed=seed, progress=progress(), **how)
    show(found, as_json, text.operators_table(found))
