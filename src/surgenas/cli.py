"""The command line: each command parses, calls one typed function, and prints. No logic, and no heavy import, here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from surgenas.core.errors import UsageError
from surgenas.ending import end_well

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="A measured, exported image network for your data, your device and your latency limit.\n\n"
    "Start with: surgenas search --data photos/ --latency 4ms",
)

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, nothing else there.")]
RunFolder = Annotated[Path, typer.Argument(help="A run folder, as `surgenas search` makes it.")]
Data = Annotated[str, typer.Option(help="A folder of class folders, torchvision:NAME, or digits.")]
Device = Annotated[str, typer.Option(help="Where to measure; `surgenas devices` lists them.")]
Latency = Annotated[str | None, typer.Option(help="The limit, for example 4ms. Default: half the largest network's.")]
Layout = Annotated[str, typer.Option(help="Macro structure; `surgenas spaces` lists them.")]
Resolution = Annotated[int, typer.Option(help="Image height and width; 0: by the data.")]
Width = Annotated[float, typer.Option(help="Channel multiplier.")]
Seed = Annotated[int, typer.Option(help="Same seed, same machine: same result.")]
Out = Annotated[Path | None, typer.Option(help="The run folder to make. Default: runs/<time>.")]
TimeLimit = Annotated[str | None, typer.Option(help="Fit the whole job into this time, for example 30m.")]
Samples = Annotated[int, typer.Option(help="Networks measured to learn latency from; 0: by the data.")]
Batch = Annotated[int, typer.Option(help="Images a step.")]


@app.command()
def search(
    data: Data = "digits",
    device: Device = "onnxruntime-cpu",
    latency: Latency = None,
    method: Annotated[str, typer.Option(help="`surgenas methods` lists them.")] = "surgenas",
    layout: Layout = "small",
    resolution: Resolution = 0,
    width: Width = 1.0,
    seed: Seed = 0,
    out: Out = None,
    epochs: Annotated[int, typer.Option(help="Epochs of search; 0: by the data.")] = 0,
    train_epochs: Annotated[int, typer.Option(help="Epochs of training from scratch; 0: by the data.")] = 0,
    batch: Batch = 64,
    samples: Samples = 0,
    random: Annotated[int, typer.Option(help="Also train N random architectures of equal latency.")] = 0,
    max_corrupt: Annotated[float, typer.Option(help="Share of unreadable images that is tolerated.")] = 0.05,
    time_limit: TimeLimit = None,
    accelerator: Annotated[str, typer.Option(help="Where to train: auto, cpu, cuda.")] = "auto",
    devices: Annotated[int, typer.Option(help="Processes to train with (DDP).")] = 1,
    setting: Annotated[list[str] | None, typer.Option("--set", help="A setting of the method: eta=0.5.")] = None,
    strict: Annotated[bool, typer.Option(help="Fail (6) rather than report a grade D latency.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Only print the reachable latencies, time and memory.")] = False,
    as_json: Json = False,
) -> None:
    """Find, train, export and measure a network inside a latency limit.

    Example: surgenas search --data photos/ --device onnxruntime-cpu --latency 4ms
    """
    from surgenas import api
    from surgenas.core.units import parse_latency_ms, parse_seconds
    from surgenas.report import text

    settings: dict[str, Any] = {
        "data": data,
        "device": device,
        "latency_ms": parse_latency_ms(latency) if latency is not None else None,
        "method": method,
        "layout": layout,
        "resolution": resolution,
        "width": width,
        "seed": seed,
        "epochs": epochs,
        "train_epochs": train_epochs,
        "batch": batch,
        "samples": samples,
        "random": random,
        "max_corrupt": max_corrupt,
        "time_limit_s": parse_seconds(time_limit) if time_limit is not None else None,
        "accelerator": accelerator,
        "devices": devices,
        "strict": strict,
        "method_settings": dict(_setting(text) for text in setting or []),
    }
    if dry_run:
        _show(api.dry_run(progress=_progress(), **settings), as_json)
        return
    result = api.search(out=out, progress=_progress(), **settings)
    _show(result.facts, as_json, text.summary(result.facts))


@app.command()
def resume(run: RunFolder, as_json: Json = False) -> None:
    """Continue an interrupted run.

    Example: surgenas resume runs/20260101-120000
    """
    from surgenas import api
    from surgenas.report import text

    result = api.resume(run, progress=_progress())
    _show(result.facts, as_json, text.summary(result.facts))


@app.command()
def profile(
    data: Data = "digits",
    device: Device = "onnxruntime-cpu",
    layout: Layout = "small",
    resolution: Resolution = 0,
    width: Width = 1.0,
    seed: Seed = 0,
    out: Out = None,
    samples: Samples = 0,
    as_json: Json = False,
) -> None:
    """Measure sampled architectures on the device into the measurement store.

    Example: surgenas profile --layout small --resolution 64 --samples 100 --out runs/p1
    """
    from surgenas import api

    settings = {"layout": layout, "resolution": resolution, "width": width, "seed": seed, "samples": samples}
    _show(api.profile(data=data, device=device, out=out, progress=_progress(), **settings), as_json)


@app.command()
def predict(run: RunFolder, as_json: Json = False) -> None:
    """Fit latency predictors on what `profile` measured; print their errors on held-out architectures.

    Example: surgenas predict runs/p1
    """
    from surgenas import api
    from surgenas.report import text

    found = api.predict(run, progress=_progress())
    _show(found, as_json, text.predictor_table(found))


@app.command()
def train(
    arch: Annotated[Path, typer.Option(help="An architecture file or a run folder.")],
    data: Data = "digits",
    epochs: Annotated[int, typer.Option(help="Epochs of training.")] = 25,
    batch: Batch = 64,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="Folder for the checkpoints and model.safetensors.")] = Path("trained"),
    accelerator: Annotated[str, typer.Option(help="auto, cpu, cuda.")] = "auto",
    as_json: Json = False,
) -> None:
    """Train an architecture from scratch; called again, it goes on where it was interrupted.

    Example: surgenas train --arch runs/1/architecture.json --data photos/ --epochs 60
    """
    from surgenas import api

    how: dict[str, Any] = {"epochs": epochs, "batch": batch, "seed": seed, "accelerator": accelerator}
    _show(api.train(arch, data, out, progress=_progress(), **how), as_json)


@app.command()
def measure(
    what: Annotated[list[str], typer.Argument(help="Architecture files, run folders, ONNX files, timm model names.")],
    device: Annotated[list[str] | None, typer.Option(help="Where to measure; may be given several times.")] = None,
    resolution: Resolution = 0,
    layers: Annotated[bool, typer.Option(help="Also the share of the latency by part of the network.")] = False,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Measure networks side by side, MobileNetV2 among them; what cannot be told apart ties.

    Example: surgenas measure runs/1 net.onnx efficientnet_b0 --resolution 128
    """
    from surgenas import api
    from surgenas.report import text

    found = api.measure(
        what, device or api.DEVICES, resolution=resolution, layers=layers, seed=seed, progress=_progress()
    )
    _show(found, as_json, text.measurement_table(found))


@app.command()
def export(
    run: RunFolder,
    to: Annotated[Path, typer.Option(help="Where to write the ONNX file.")] = Path("net.onnx"),
    as_json: Json = False,
) -> None:
    """Copy a run's verified ONNX file.

    Example: surgenas export runs/1 --to net.onnx
    """
    from surgenas import api

    _show({"onnx": str(api.export(run, to))}, as_json)


@app.command()
def report(run: RunFolder, as_json: Json = False) -> None:
    """Draw a run's report.html, finished or not.

    Example: surgenas report runs/1
    """
    from surgenas import api

    _show({"report": str(api.write_report(run, progress=_progress()))}, as_json)


@app.command()
def describe(
    arch: Annotated[Path | None, typer.Option(help="An architecture file or a run folder.")] = None,
    uniform: Annotated[str | None, typer.Option(help="The same operator everywhere, for example k7e6.")] = None,
    layout: Layout = "proxyless",
    resolution: Resolution = 0,
    width: Width = 1.0,
    classes: Annotated[int, typer.Option(help="Number of classes.")] = 1000,
    as_json: Json = False,
) -> None:
    """Print a network layer by layer, with its MACs and parameters.

    Example: surgenas describe --uniform k7e6 --layout densenas
    """
    from surgenas import listing
    from surgenas.report import text

    found = listing.describe(arch, uniform, layout=layout, resolution=resolution, width=width, classes=classes)
    _show(found, as_json, text.layer_table(found))


@app.command()
def devices(as_json: Json = False) -> None:
    """List the devices that networks can be measured on.

    Example: surgenas devices
    """
    from surgenas import listing

    _show(listing.devices(), as_json)


@app.command()
def spaces(as_json: Json = False) -> None:
    """List search spaces and their layouts.

    Example: surgenas spaces
    """
    from surgenas import listing

    _show(listing.spaces(), as_json)


@app.command()
def methods(as_json: Json = False) -> None:
    """List search methods, path samplers and latency predictors.

    Example: surgenas methods
    """
    from surgenas import listing

    _show(listing.methods(), as_json)


def main() -> None:
    """Run a command; every error that a user can cause ends in one line and its exit code."""
    end_well(app)


def _progress() -> Any:
    from surgenas.console import ConsoleProgress

    return ConsoleProgress()


def _setting(text: str) -> tuple[str, str | float | int | bool]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set {text!r}: expected name=value, for example eta=0.5")
    try:
        parsed = json.loads(value)
    except ValueError:
        return name, value
    return name, parsed if isinstance(parsed, (int, float, bool)) else value


def _show(found: dict[str, Any], as_json: bool, text: str | None = None) -> None:
    """JSON for machines; for people the text, or the values line by line."""
    if as_json:
        print(json.dumps(found))  # noqa: T201
    elif text is not None:
        print(text)  # noqa: T201
    else:
        for key, value in found.items():
            print(f"{key}: {value}")  # noqa: T201
