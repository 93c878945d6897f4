"""Commands that work on a run. Each parses, calls one typed function, and prints; heavy imports wait until then."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from surgenas.cli.options import Batch, Json, LogTo, RunFolder, Seed, app, progress, show, with_run_options
from surgenas.core.progress import Progress
from surgenas.core.units import parse_bytes, parse_latency_ms
from surgenas.runs.config import ADAPTING, PUBLISHED

Out = Annotated[Path | None, typer.Option(help="The run folder to make. Default: runs/<time>.")]
STANDARD_OUTPUT = Path("-")
"""What stands for standard output where a file is asked for."""


@app.command()
@with_run_options()
def search(
    said: dict[str, Any],
    listener: Progress,
    out: Out = None,
    dry_run: Annotated[bool, typer.Option(help="Only print the reachable latencies, time and memory.")] = False,
    log_to: LogTo = None,
    as_json: Json = False,
) -> None:
    """Find, train, export and measure a network inside a latency limit.

    Example: surgenas search --data photos/ --device onnxruntime-cpu --latency 0.5ms
    """
    from surgenas import api
    from surgenas.report import text

    if dry_run:
        plan = api.dry_run(progress=listener, **said)
        show(plan, as_json, text.plan_text(plan))
        return
    result = api.search(out=out, log_to=log_to or (), progress=listener, **said)
    show(result, as_json, text.summary_text(result.summary))


@app.command()
@with_run_options(without=("space", "layout", "width", "start"), defaults={"method": ADAPTING, "weights": PUBLISHED})
def adapt(
    network: Annotated[str, typer.Argument(metavar="NETWORK", help="timm's name of it, such as resnet18.")],
    said: dict[str, Any],
    listener: Progress,
    out: Out = None,
    dry_run: Annotated[bool, typer.Option(help="Only print the reachable latencies, time and memory.")] = False,
    log_to: LogTo = None,
    as_json: Json = False,
) -> None:
    """Make a network with trained weights as small as a latency limit asks for, and train it on your images.

    Example: surgenas adapt tf_efficientnet_lite0 --weights lite0.safetensors --data photos/ --latency 1ms
    """
    from surgenas import api
    from surgenas.report import text

    if dry_run:
        plan = api.dry_run(progress=listener, **api.adapting(network, said))
        show(plan, as_json, text.plan_text(plan))
        return
    result = api.adapt(network, out=out, log_to=log_to or (), progress=listener, **said)
    show(result, as_json, text.summary_text(result.summary))


@app.command()
@with_run_options("memory_bytes", "workers", "processes", "engine", defaults={"processes": None, "engine": None})
def resume(
    said: dict[str, Any],
    listener: Progress,
    run: RunFolder,
    time_limit: Annotated[
        str | None,
        typer.Option(help="Time of the whole run, with what it has taken. Default: as before, until it was reached."),
    ] = None,
    log_to: LogTo = None,
    as_json: Json = False,
) -> None:
    """Continue an interrupted run; it goes on wherever it was logged to.

    Example: surgenas resume runs/20260101-120000
    """
    from surgenas import api
    from surgenas.core.units import parse_seconds
    from surgenas.report import text

    limit_s = None if time_limit is None else parse_seconds(time_limit)
    result = api.resume(run, time_limit_s=limit_s, log_to=log_to or (), progress=listener, **said)
    show(result, as_json, text.summary_text(result.summary))


@app.command()
@with_run_options(
    "data", "device", "space", "layout", "resolution", "width", "seed", "samples", "max_corrupt", "fit", "memory_bytes",
    "workers",
)  # fmt: skip
def profile(said: dict[str, Any], listener: Progress, out: Out = None, as_json: Json = False) -> None:
    """Measure sampled architectures on the device into the measurement store.

    Example: surgenas profile --layout small --resolution 64 --samples 100 --out runs/p1
    """
    from surgenas import api

    show(api.profile(out=out, progress=listener, **said), as_json)


@app.command()
@with_run_options("max_corrupt", "fit", "flips", "classes", "memory_bytes", "workers")
def train(
    said: dict[str, Any],
    listener: Progress,
    arch: Annotated[Path, typer.Option(help="An architecture file or a run folder.")],
    data: Annotated[
        str,
        typer.Option(help="Class folders, a table (labels.csv), tar shards, torchvision:NAME, or digits."),
    ] = "digits",
    epochs: Annotated[int, typer.Option(help="Epochs of training.")] = 25,
    batch: Batch = 64,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="Folder for the weights, model.onnx and model.json.")] = Path("trained"),
    accelerator: Annotated[str, typer.Option(help="auto, cpu, cuda.")] = "auto",
    processes: Annotated[int, typer.Option(help="Processes that train together.", min=1)] = 1,
    log_to: LogTo = None,
    as_json: Json = False,
) -> None:
    """Train an architecture from scratch; called again, it goes on where it was interrupted.

    Example: surgenas train --arch runs/1/architecture.json --data photos/ --epochs 60
    """
    from surgenas import api
    from surgenas.report import text

    found = api.train(arch, data, out, epochs=epochs, batch=batch, seed=seed, accelerator=accelerator,
                      processes=processes, log_to=log_to or (), progress=listener, **said)  # fmt: skip
    show(found, as_json, text.trained_text(found))


@app.command()
def export(
    run: RunFolder,
    to: Annotated[Path, typer.Option(help="What to write: .onnx, .tflite, .xml, .pte, .param, .mnn or .pt2.")] = Path(
        "net.onnx"
    ),
    device: Annotated[str, typer.Option(help="What it is to run on; left out, the suffix decides.")] = "",
    measure: Annotated[bool, typer.Option(help="Also measure there what was written.")] = False,
    as_json: Json = False,
) -> None:
    """Write a run's network in a device's format, compared with PyTorch, and beside it how it is used.

    Example: surgenas export runs/1 --to net.tflite

    Example: surgenas export runs/1 --to net.onnx --device onnxruntime-cpu-int8 --measure
    """
    from surgenas import api
    from surgenas.report import text

    found = api.export(run, to, device, measured=measure, progress=progress())
    show(found, as_json, text.export_text(found))


@app.command()
def quantize(
    run: RunFolder,
    latency: Annotated[str | None, typer.Option(help="The limit, for example 3ms.")] = None,
    size: Annotated[str | None, typer.Option(help="A limit on the size of all weights, for example 1.5MB.")] = None,
    device: Annotated[str, typer.Option(help="onnxruntime-cpu, openvino-cpu, or a file of yours.")] = "onnxruntime-cpu",
    to: Annotated[Path, typer.Option(help="What to write.")] = Path("mixed.onnx"),
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Put as few layers of a run's network into int8 as a latency or a size asks for, those whose rounding costs least.

    Example: surgenas quantize runs/1 --latency 3ms --to mixed.onnx
    """
    from surgenas import api
    from surgenas.report import quantized_text

    limit_ms = None if latency is None else parse_latency_ms(latency)
    most_bytes = None if size is None else parse_bytes(size, "--size")
    found = api.quantize(run, limit_ms, to, device, most_bytes=most_bytes, seed=seed, progress=progress())
    show(found, as_json, quantized_text.mixes_table(found))


@app.command()
def classify(
    run: Annotated[Path, typer.Argument(help="A run folder, or a folder that `surgenas train` wrote.")],
    images: Annotated[list[Path], typer.Argument(help="Image files, and folders with all that lies below.")],
    top: Annotated[int, typer.Option(help="Classes told of each image, the likeliest first.", min=1)] = 2,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all labels there as CSV; - for standard output.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Label new images with a run's exported network: class and probability of each.

    Example: surgenas classify runs/1 new_photos/ photo.jpg

    Example: surgenas classify runs/1 new_photos/ --csv labels.csv
    """
    from surgenas import api
    from surgenas.core.errors import DataError, UsageError
    from surgenas.report import classified

    if csv == STANDARD_OUTPUT and as_json:
        raise UsageError("--csv - and --json: both go to standard output; give --csv a file")
    if csv and (csv.is_dir() or not csv.parent.is_dir()):  # said before the work
        raise UsageError(f"--csv {csv}: expected a file in a folder that is there")
    found = api.classify(run, images, top=top, progress=progress())
    if csv:
        _write(csv, classified.to_csv(found))
    if csv != STANDARD_OUTPUT:
        wrote = f"wrote {csv}; {classified.count_line(found)}"
        show(found, as_json, wrote if csv else classified.labels_table(found))
    if found.unreadable:
        first, count = found.unreadable[0], len(found.unreadable)
        raise DataError(f"{count} file(s) cannot be read, the others are labelled: first {first.file}: {first.why}")


def _write(path: Path, content: bytes) -> None:
    from surgenas.core.files import write_atomic

    if path == STANDARD_OUTPUT:
        typer.echo(content, nl=False)
    else:
        write_atomic(path, content)


@app.command()
def report(run: RunFolder, as_json: Json = False) -> None:
    """Draw a run's report.html, finished or not.

    Example: surgenas report runs/1
    """
    from surgenas import api
    from surgenas.cli.options import Said

    show(Said({"report": str(api.write_report(run, progress=progress()))}), as_json)


@app.command()
def log(
    run: RunFolder,
    to: Annotated[
        list[str], typer.Option(metavar="NAME[=WHERE]", help="tensorboard[=FOLDER], mlflow[=URI]; several times.")
    ],
    as_json: Json = False,
) -> None:
    """Write a run, finished or not, to TensorBoard or MLflow: what is not there yet.

    Example: surgenas log runs/1 --to tensorboard

    Example: surgenas log runs/1 --to mlflow=sqlite:///mlflow.db
    """
    from surgenas import api

    found = api.log(run, to, progress=progress())
    show(found, as_json, "\n".join(f"{place}: {points} new points" for place, points in found.points.items()))
