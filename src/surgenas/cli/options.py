"""What the commands share: the application, common options, the options of a run, and how results are printed."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Protocol

import typer
from pydantic_core import PydanticUndefined

from surgenas.core.errors import UsageError
from surgenas.core.units import parse_bytes, parse_latency_ms, parse_seconds
from surgenas.runs.config import Named, words

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="A measured, exported image network for your data, your device and your latency limit.\n\n"
    "Start with: surgenas search --data photos/ --latency 0.5ms",
)


def _say_version(asked: bool) -> None:
    if asked:
        print(f"surgenas {version('surgenas')}")  # noqa: T201
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version, and end.")
    ] = False,
) -> None: ...


Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, nothing else there.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say every detail on the way.")]
RunFolder = Annotated[Path, typer.Argument(help="A run folder, as `surgenas search` makes it.")]
Device = Annotated[str, typer.Option(help="Where to measure; `surgenas devices` lists them.")]
Layout = Annotated[str, typer.Option(help="Macro structure; `surgenas spaces` lists them.")]
Resolution = Annotated[int, typer.Option(help="Image height and width; 0: by the data.")]
Width = Annotated[float, typer.Option(help="Channel multiplier.")]
Seed = Annotated[int, typer.Option(help="Same seed, same machine: same result.")]
Batch = Annotated[int, typer.Option(help="Images a step.")]
LogTo = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME[=WHERE]", help="Also log to tensorboard[=FOLDER] or mlflow[=URI]; several times."),
]
EXAMPLES = {"--set": "eta=0.5", "--limit": "sram=256KB"}
UNITS: Mapping[str, Callable[[str, str], float]] = {
    "ms": parse_latency_ms, "s": parse_seconds, "bytes": parse_bytes,
}  # fmt: skip
"""Functions that read a setting from the text after a flag, by the setting's unit."""


class Shown(Protocol):
    """A value that a command can print."""

    def to_json(self) -> dict[str, Any]: ...


class Said(dict[str, Any]):
    """A printable answer of a few plain values."""

    def to_json(self) -> dict[str, Any]:
        return dict(self)


def with_run_options(
    *names: str, without: tuple[str, ...] = (), defaults: Mapping[str, Any] = MappingProxyType({})
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of a run: those with these names, or all but some; and --verbose. The command gets
    their values as `said`, a mapping from name to value, and a `listener` for its progress. defaults: values by name
    that are not the configuration's."""
    chosen = [
        word for word in words() if word.word.flag and (not names or word.name in names) and word.name not in without
    ]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        given = {"said", "listener"}
        own = [p.replace(kind=p.KEYWORD_ONLY) for p in signature.parameters.values() if p.name not in given]
        own.append(inspect.Parameter("verbose", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Verbose))
        options = [_option(word) for word in chosen]
        options = [option.replace(default=defaults.get(option.name, option.default)) for option in options]

        def run(verbose: bool, **words: Any) -> None:
            said = {word.name: _value(word, words.pop(word.name)) for word in chosen}
            command(said=said, listener=progress(verbose), **words)

        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__signature__ = inspect.Signature([*options, *own])  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in (*options, *own)}
        return run

    return decorate


def _option(word: Named) -> inspect.Parameter:
    """The option of a setting: text if it has a unit or is given as name=value, else of the field's own type."""
    default: Any = word.field.default
    kind: Any = word.field.annotation
    if word.word.unit:
        kind, default = str | None, None
    elif default is PydanticUndefined:  # given as name=value, several times
        kind, default = list[str] | None, None
    metavar = "NAME=VALUE" if kind == list[str] | None else None
    annotation = Annotated[kind, typer.Option(word.word.flag, help=word.word.help, metavar=metavar)]
    return inspect.Parameter(word.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _value(word: Named, given: Any) -> Any:
    if word.word.unit:
        return None if given is None else UNITS[word.word.unit](given, word.word.flag)
    if word.field.default is PydanticUndefined:
        return _settings(given or [], word.word.flag)
    return given


def _settings(texts: Iterable[str], flag: str) -> dict[str, str | float | int | bool]:
    """Settings by name; raises UsageError for one that is given twice."""
    found: dict[str, str | float | int | bool] = {}
    for name, value in (setting_of(text, flag) for text in texts):
        if name in found:
            raise UsageError(f"{flag} {name}: given twice, as {found[name]} and {value}")
        found[name] = value
    return found


def progress(details: bool = False) -> Any:
    """Where commands report progress; imported here because rich is slow to import."""
    from surgenas.cli.console import ConsoleProgress

    return ConsoleProgress(details)


def setting_of(text: str, flag: str = "--set") -> tuple[str, str | float | int | bool]:
    """The name and the value in a "name=value" text. The value is a number, true or false if it reads as one, else
    text.

    Raises UsageError for text without an equals sign.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"{flag} {text!r}: expected name=value, for example {EXAMPLES[flag]}")
    try:
        parsed = json.loads(value)
    except ValueError:
        return name, value
    return name, parsed if isinstance(parsed, (int, float, bool)) else value


def names_of(text: str) -> list[str]:
    """The names in text like "A,B,..", without empty ones."""
    return [name.strip() for name in text.split(",") if name.strip()]


def show(found: Shown | Mapping[str, Shown], as_json: bool, text: str | None = None) -> None:
    """Print a result: as one JSON object, or as this text, or as its values line by line."""
    plain = found.to_json() if hasattr(found, "to_json") else {k: v.to_json() for k, v in found.items()}
    if as_json:
        print(json.dumps(plain))  # noqa: T201
    elif text is not None:
        print(text)  # noqa: T201
    else:
        print_lines(plain.items())


def print_lines(rows: Iterable[tuple[str, Any]]) -> None:
    """Print each value on a line of its own."""
    for key, value in rows:
        print(f"{key}: {value}")  # noqa: T201
