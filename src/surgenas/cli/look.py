"""Commands that only look: a network layer by layer, a latency by a table, devices, spaces, methods."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surgenas.cli.options import Json, Layout, Resolution, Width, app, progress, show
from surgenas.core.errors import EnvironmentFault


@app.command()
def describe(
    run: Annotated[Path | None, typer.Argument(help="A run folder or an architecture file.")] = None,
    arch: Annotated[Path | None, typer.Option(help="The same, as an option.")] = None,
    uniform: Annotated[str | None, typer.Option(help="The same operator everywhere, for example k7e6.")] = None,
    layout: Layout = "proxyless",
    resolution: Resolution = 0,
    width: Width = 1.0,
    classes: Annotated[int, typer.Option(help="Number of classes.")] = 1000,
    as_json: Json = False,
) -> None:
    """Print a network layer by layer, with its MACs and parameters.

    Example: surgenas describe runs/1

    Example: surgenas describe --uniform k7e6 --layout densenas
    """
    from surgenas.report import text
    from surgenas.studies import describe as study

    found = study.describe(arch or run, uniform, layout=layout, resolution=resolution, width=width, classes=classes)
    show(found, as_json, text.layer_table(found))


@app.command()
def estimate(
    table: Annotated[Path, typer.Option(help="A latency table in JSON, milliseconds by layer and operator.")],
    arch: Annotated[str, typer.Option(help="k5e6 (everywhere), k3e3-skip-..., spnasnet, or an architecture file.")],
    space: Annotated[str, typer.Option(help="`surgenas spaces` lists them.")] = "single_path",
    layout: Annotated[str, typer.Option(help="Macro structure; empty: the space's own.")] = "",
    as_json: Json = False,
) -> None:
    """Print the latency that a table gives an architecture; nothing is measured.

    Example: surgenas estimate --space single_path --table pixel1.json --arch spnasnet
    """
    from surgenas.report import text
    from surgenas.studies.estimate import estimate as study

    found = study(space, table, arch, layout)
    show(found, as_json, text.estimate_table(found))


@app.command()
def devices(as_json: Json = False) -> None:
    """List the devices that networks can be measured on.

    Example: surgenas devices
    """
    from surgenas.report import text
    from surgenas.studies import describe as study

    found = study.devices()
    show(found, as_json, text.device_table(found))


@app.command()
def spaces(
    names: Annotated[list[str] | None, typer.Argument(help="Only these; package.module:Class too.")] = None,
    as_json: Json = False,
) -> None:
    """List search spaces; of those that are named all operators, layouts and settings.

    Example: surgenas spaces mobile
    """
    from surgenas.report import catalogue_text
    from surgenas.studies import describe as study

    found = study.spaces(names or ())
    show(found, as_json, catalogue_text.space_table(found) if names else catalogue_text.space_list(found))


@app.command()
def methods(
    names: Annotated[list[str] | None, typer.Argument(help="Only these; package.module:Class too.")] = None,
    as_json: Json = False,
) -> None:
    """List search methods and latency predictors; of those that are named all that --set takes.

    Example: surgenas methods spos
    """
    from surgenas.report import catalogue_text
    from surgenas.studies import describe as study

    found = study.methods(names or ())
    show(found, as_json, catalogue_text.methods_table(found) if names else catalogue_text.methods_list(found))


@app.command()
def doctor(
    device: Annotated[str, typer.Option(help="On which the machine's noise is measured.")] = "onnxruntime-cpu",
    as_json: Json = False,
) -> None:
    """Say what of the environment works: packages, devices, memory, and how noisy this machine is.

    Example: surgenas doctor
    """
    from surgenas.report.health_text import health_text
    from surgenas.studies.doctor import examine

    found = examine(device, progress())
    show(found, as_json, health_text(found))
    if not found.store:
        raise EnvironmentFault(found.advice[0])
