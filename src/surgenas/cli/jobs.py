"""Commands that work: each parses, calls one typed function, and prints. No logic, and no heavy import, here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from surgenas.cli.options import (
    Batch,
    Data,
    Device,
    Json,
    Latency,
    Layout,
    Out,
    Resolution,
    RunFolder,
    Samples,
    Seed,
    SpaceName,
    TimeLimit,
    Width,
    app,
    names_of,
    progress,
    setting_of,
    show,
)


@app.command()
def search(
    data: Data = "digits",
    device: Device = "onnxruntime-cpu",
    latency: Latency = None,
    method: Annotated[str, typer.Option(help="`surgenas methods` lists them.")] = "surgenas",
    space: SpaceName = "",
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
        "space": space,
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
        "method_settings": dict(setting_of(text) for text in setting or []),
    }
    if dry_run:
        show(api.dry_run(progress=progress(), **settings), as_json)
        return
    result = api.search(out=out, progress=progress(), **settings)
    show(result.facts, as_json, text.summary(result.facts))


@app.command()
def resume(run: RunFolder, as_json: Json = False) -> None:
    """Continue an interrupted run.

    Example: surgenas resume runs/20260101-120000
    """
    from surgenas import api
    from surgenas.report import text

    result = api.resume(run, progress=progress())
    show(result.facts, as_json, text.summary(result.facts))


@app.command()
def profile(
    data: Data = "digits",
    device: Device = "onnxruntime-cpu",
    space: SpaceName = "",
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

    settings = {"space": space, "layout": layout, "resolution": resolution, "width": width, "seed": seed,
                "samples": samples}  # fmt: skip
    show(api.profile(data=data, device=device, out=out, progress=progress(), **settings), as_json)


@app.command()
def predict(
    run: Annotated[Path | None, typer.Argument(help="A run folder with a profile; or none, and --table.")] = None,
    space: Annotated[str, typer.Option(help="The table's space; `surgenas spaces` lists them.")] = "nasbench201",
    table: Annotated[Path | None, typer.Option(help="A CSV file: column arch, and latencies in ms.")] = None,
    column: Annotated[list[str] | None, typer.Option(help="The device to predict; may be given several times.")] = None,
    columns: Annotated[str, typer.Option(help="Several of them: A,B,..; all that end in _ms if none is named.")] = "",
    train: Annotated[list[int] | None, typer.Option(help="Samples to learn from; may be given several times.")] = None,
    seeds: Annotated[int, typer.Option(help="Draws of those samples.")] = 1,
    predictor: Annotated[list[str] | None, typer.Option(help="Only these; may be given several times.")] = None,
    pick: Annotated[str, typer.Option(help="How samples are picked: random, active; active with --pretrain.")] = "",
    pretrain: Annotated[Path | None, typer.Option(help="A table of devices that are known already.")] = None,
    pretrain_columns: Annotated[str, typer.Option(help="Those devices: A,B,..; all others by default.")] = "",
    as_json: Json = False,
) -> None:
    """Fit latency predictors on what `profile` measured, or on a table; print their errors on held-out architectures.

    Example: surgenas predict runs/p1

    Example: surgenas predict --space fbnet --table latency.csv.gz --column pixel3_ms --train 100 --seeds 3
    """
    from surgenas import api
    from surgenas.core.errors import UsageError
    from surgenas.report import text

    if (run is None) == (table is None):
        raise UsageError("predict: expected a run folder, or --table FILE; surgenas predict --help has examples")
    if run is not None:
        found = api.predict(run, progress=progress())
        show(found, as_json, text.predictor_table(found))
        return
    how: dict[str, Any] = {"train": tuple(train or (100,)), "seeds": seeds, "pick": pick, "pretrain": pretrain}
    how |= {"predictors": tuple(predictor)} if predictor else {}
    wanted = [*(column or []), *names_of(columns)]
    found = api.predict_table(
        space, str(table), wanted, pretrain_columns=tuple(names_of(pretrain_columns)), progress=progress(), **how
    )
    show(found, as_json, text.contest_table(found))


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
    show(api.train(arch, data, out, progress=progress(), **how), as_json)


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

    show({"onnx": str(api.export(run, to))}, as_json)


@app.command()
def report(run: RunFolder, as_json: Json = False) -> None:
    """Draw a run's report.html, finished or not.

    Example: surgenas report runs/1
    """
    from surgenas import api

    show({"report": str(api.write_report(run, progress=progress()))}, as_json)
