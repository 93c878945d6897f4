"""What the commands share: the application, options by name, and how a result is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from surgenas.core.errors import UsageError

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
SpaceName = Annotated[str, typer.Option("--space", help="Search space; empty: the method's own.")]
Layout = Annotated[str, typer.Option(help="Macro structure; `surgenas spaces` lists them.")]
Resolution = Annotated[int, typer.Option(help="Image height and width; 0: by the data.")]
Width = Annotated[float, typer.Option(help="Channel multiplier.")]
Seed = Annotated[int, typer.Option(help="Same seed, same machine: same result.")]
Out = Annotated[Path | None, typer.Option(help="The run folder to make. Default: runs/<time>.")]
TimeLimit = Annotated[str | None, typer.Option(help="Fit the whole job into this time, for example 30m.")]
Samples = Annotated[int, typer.Option(help="Networks measured to learn latency from; 0: by the data.")]
Batch = Annotated[int, typer.Option(help="Images a step.")]


def progress() -> Any:
    from surgenas.cli.console import ConsoleProgress

    return ConsoleProgress()


def setting_of(text: str) -> tuple[str, str | float | int | bool]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set {text!r}: expected name=value, for example eta=0.5")
    try:
        parsed = json.loads(value)
    except ValueError:
        return name, value
    return name, parsed if isinstance(parsed, (int, float, bool)) else value


def names_of(text: str) -> list[str]:
    """The parts of "A,B,.."."""
    return [name.strip() for name in text.split(",") if name.strip()]


def show(found: dict[str, Any], as_json: bool, text: str | None = None) -> None:
    """JSON for machines; for people the text, or the values line by line."""
    if as_json:
        print(json.dumps(found))  # noqa: T201
    elif text is not None:
        print(text)  # noqa: T201
    else:
        for key, value in found.items():
            print(f"{key}: {value}")  # noqa: T201
