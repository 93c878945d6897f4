"""Everything that defines a run, enough to repeat it. Each setting carries the word that a person says for it on the
command line and in Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from surgenas.core.amounts import read_amount
from surgenas.core.architecture import read_space
from surgenas.core.errors import CorruptError, UsageError, complaint
from surgenas.hardware.timed.as_it_comes import LatencyAs
from surgenas.nn import Precision
from surgenas.spaces import CATALOG
from surgenas.tasks import Classes, Fit, Flips

FORMAT = "surgenas.run/2"
Setting = str | float | int | bool
ADAPTING, PUBLISHED = "netadaptv2", "timm"
"""How smaller versions of a network are looked for, and whose weights they begin with, if the user does not say."""
Start = Literal["fresh", "inherit"]
"""What a training begins with: fresh weights, or those that the search has trained."""


@dataclass(frozen=True)
class Word:
    """The word that a person says for a setting.

    help: its explanation. flag: its option on the command line; empty if it has none. name: its name in Python; empty
    for the name of the field. unit: "ms", "s" or "bytes" if the command line reads it as text with a unit.
    """

    help: str
    flag: str = ""
    name: str = ""
    unit: str = ""


class Part(BaseModel):
    """A frozen part of a configuration; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DataConfig(Part):
    """Settings of the images."""

    source: Annotated[
        str,
        Word(
            "Class folders, a table (labels.csv), tar shards, torchvision:NAME, or digits.",
            "--data",
            "data",
        ),
    ] = "digits"
    resolution: Annotated[
        int, Field(ge=0, le=2048), Word("Image height and width; 0: by the data.", "--resolution")
    ] = 0
    max_corrupt: Annotated[
        float, Field(ge=0, le=1), Word("Share of unreadable images that is tolerated.", "--max-corrupt")
    ] = 0.05
    fit: Annotated[
        Fit, Word("Images that are no squares: their middle (crop), between bars (pad), distorted (squash).", "--fit")
    ] = "crop"
    memory_bytes: Annotated[
        Annotated[float, Field(ge=0)] | None,
        Word(
            "Images of more bytes, such as 2GB, are decoded whenever needed. Default: a quarter of what is free.",
            "--memory", unit="bytes",
        ),
    ] = None  # fmt: skip
    workers: Annotated[
        int | None,
        Field(ge=0, le=256),
        Word("Processes that decode such images ahead. Default: one for two cores.", "--workers"),
    ] = None


class SpaceConfig(Part):
    """Settings of the search space. settings: of the space, from a space file; they override layout and width."""

    name: Annotated[
        str, Word("A name, module:Class, or a space file; empty: the method's own.", "--space", "space")
    ] = ""
    layout: Annotated[str, Word("Macro structure; `surgenas spaces` lists them.", "--layout")] = "small"
    width: Annotated[float, Field(ge=0, le=16), Word("Channel multiplier; 0: by --latency.", "--width")] = 0.0
    settings: Annotated[dict[str, str | int | float], Word("Settings of the space.", name="space_settings")] = Field(
        default_factory=dict
    )


def _amounts(given: object) -> object:
    """Amounts as numbers, of those that may be text with a unit."""
    return {unit: read_amount(unit, value) for unit, value in given.items()} if isinstance(given, dict) else given


class TargetConfig(Part):
    """Settings of the target and of the latency limit.

    latency_ms: None for half the latency of the space's largest network, or for the geometric mean of the smallest and
    the largest latency where that half is hardly reachable.
    """

    name: Annotated[str, Word("Where to measure; `surgenas devices` lists them.", "--device", "device")] = (
        "onnxruntime-cpu"
    )
    latency_ms: Annotated[
        Annotated[float, Field(gt=0, allow_inf_nan=False)] | None,
        Word("The limit, for example 4ms. Default: half the largest network's.", "--latency", unit="ms"),
    ] = None
    latency_as: Annotated[
        LatencyAs,
        Word("What --latency is for: the quiet machine, or a percentile of runs as they come.", "--latency-as"),
    ] = "quiet"
    limits: Annotated[
        Annotated[dict[str, float], BeforeValidator(_amounts)],
        Word("A further limit, on what the device counts: sram=256KB; several times.", "--limit", "limits"),
    ] = Field(default_factory=dict)
    samples: Annotated[
        int, Field(ge=0), Word("Networks measured to learn latency from; 0: by the data.", "--samples")
    ] = 0
    predictors: Annotated[tuple[str, ...], Word("Latency predictors to choose from.")] = (
        "process", "gnn", "mlp", "ridge", "lookup", "flops",
    )  # fmt: skip
    strict: Annotated[bool, Word("Fail (6) rather than report a grade D latency.", "--strict")] = False


class MethodConfig(Part):
    """The search method and its settings. epochs: 0 for a default that depends on the data and the method."""

    name: Annotated[str, Word("`surgenas methods` lists them.", "--method", "method")] = "surgenas"
    epochs: Annotated[int, Field(ge=0), Word("Epochs of search; 0: by the data.", "--epochs")] = 0
    settings: Annotated[dict[str, Setting], Word("A setting of the method: eta=0.5.", "--set", "method_settings")] = (
        Field(default_factory=dict)
    )


class TrainingConfig(Part):
    """Settings of the recipe by which all networks of a run are trained. epochs: 0 for a default that depends on the
    data."""

    epochs: Annotated[
        int, Field(ge=0), Word("Epochs of training from scratch; 0: by the data.", "--train-epochs", "train_epochs")
    ] = 0
    batch: Annotated[int, Field(ge=2), Word("Images a step.", "--batch")] = 64
    flips: Annotated[
        Flips, Word("Mirror images to learn from (horizontal), or not (off); auto: unless it harms.", "--flips")
    ] = "auto"
    classes: Annotated[
        Classes,
        Word("Learn from images as they are (as-is), or from every class equally often (balanced).", "--classes"),
    ] = "as-is"
    start: Annotated[
        Start,
        Word("Train networks from fresh weights, or from those that the search has trained (inherit).", "--start"),
    ] = "fresh"
    weights: Annotated[
        str,
        Word(
            "Weights that a network of the space elastic begins with: a file, or timm for its published ones.",
            "--weights",
        ),
    ] = ""
    distill: Annotated[
        float,
        Field(ge=0, le=1),
        Word("With --weights: share of the loss that is to agree with the whole network.", "--distill"),
    ] = 0.0
    cutout: Annotated[
        int, Field(ge=0), Word("Leave a square of this height and width out of each image to learn from.", "--cutout")
    ] = 0
    drop_path: Annotated[
        float,
        Field(ge=0, lt=1),
        Word("With networks of cells: chance with which a path is dropped at the end.", "--drop-path"),
    ] = 0.0
    auxiliary: Annotated[
        float,
        Field(ge=0, le=1),
        Word("With --space darts: share with which a second classifier's loss is added.", "--auxiliary"),
    ] = 0.0
    accelerator: Annotated[str, Word("Where to train: auto, cpu, cuda.", "--accelerator")] = "auto"
    precision: Annotated[Precision, Word("In training: fp32, bf16, or auto, bf16 on a GPU.", "--precision")] = "auto"
    processes: Annotated[int, Field(ge=1), Word("Processes that train together, in the search too.", "--processes")] = 1


Some = Annotated[int, Field(ge=0, le=100)]


class BesideConfig(Part):
    """What is trained beside the found network, by the same recipe."""

    random: Annotated[Some, Word("Also train N random architectures of any latency.", "--random")] = 0
    random_at_equal_latency: Annotated[
        Some, Word("Also train N random architectures of the found network's latency.", "--random-at-equal-latency")
    ] = 0
    random_at_equal_cost: Annotated[
        Some,
        Word("Train N of those, with --weights smaller images too, as long as all took.", "--random-at-equal-cost"),
    ] = 0
    alone: Annotated[
        bool, Word("With --weights: do not also train what else could be picked (docs/pretrained.md).", "--alone")
    ] = False


class RunConfig(Part):
    """All settings of a run."""

    data: DataConfig = DataConfig()
    space: SpaceConfig = SpaceConfig()
    target: TargetConfig = TargetConfig()
    method: MethodConfig = MethodConfig()
    training: TrainingConfig = TrainingConfig()
    beside: BesideConfig = BesideConfig()
    engine: Annotated[
        str,
        Field(pattern=r"^(here|ray|ray://[^/]+:\d+)$"),
        Word("Who trains and measures: here, ray, or ray://HOST:10001.", "--engine"),
    ] = "here"
    seed: Annotated[int, Field(ge=0, lt=2**31), Word("Same seed, same machine: same result.", "--seed")] = 0
    time_limit_s: Annotated[
        Annotated[float, Field(gt=0)] | None,
        Word("Fit the whole job into this time, for example 30m.", "--time-limit", unit="s"),
    ] = None


@dataclass(frozen=True)
class Named:
    """A setting with its word. name: in Python. path: the names that lead to its field, from RunConfig down."""

    name: str
    path: tuple[str, ...]
    field: FieldInfo
    word: Word


def words(kind: type[Part] = RunConfig, path: tuple[str, ...] = ()) -> Iterator[Named]:
    """All settings that have a word, in the order of the configuration."""
    for name, field in kind.model_fields.items():
        found = next((m for m in field.metadata if isinstance(m, Word)), None)
        if found:
            yield Named(found.name or name, (*path, name), field, found)
        elif isinstance(field.annotation, type) and issubclass(field.annotation, Part):
            yield from words(field.annotation, (*path, name))


def make_config(**said: Any) -> RunConfig:
    """The configuration that a person's words ask for. said: values by the names of `words`; `space` may be a space
    file.

    Raises UsageError naming the word, its value, and what is expected.
    """
    space = str(said.get("space", ""))
    if space.endswith(".json"):
        spec = read_space(space)
        if spec.name not in CATALOG:  # a space file is data: it must not make us import a module
            raise UsageError(f"{space}: unknown space {spec.name!r}; one of {', '.join(CATALOG)}")
        said |= {"space": spec.name, "space_settings": dict(spec.settings)}
    return _filled({}, said)


def changed(config: RunConfig, **said: Any) -> RunConfig:
    """A configuration with other values for some words, as `make_config` takes them; None leaves what there is."""
    return _filled(config.model_dump(), {name: value for name, value in said.items() if value is not None})


def _filled(nested: dict[str, Any], said: Mapping[str, Any]) -> RunConfig:
    places = {word.name: word.path for word in words()}
    for name, value in said.items():
        if name not in places:
            raise UsageError(f"{name} {value!r}: unknown setting; one of {', '.join(places)}")
        *parts, last = places[name]
        inner = nested
        for part in parts:
            inner = inner.setdefault(part, {})
        inner[last] = str(value) if isinstance(value, Path) else value
    try:
        return RunConfig(**nested)
    except ValidationError as error:
        raise UsageError(_explain(error, {path: name for name, path in places.items()})) from None


def read_config(record: object) -> RunConfig:
    """The configuration in a record that was read from config.json; raises CorruptError if there is none."""
    try:
        return RunConfig.model_validate(record)
    except ValidationError as error:
        raise CorruptError(f"config.json: {_explain(error, {})}") from None


def _explain(error: ValidationError, names: Mapping[tuple[str, ...], str]) -> str:
    first, (where, what) = error.errors()[0], complaint(error)
    path = tuple(str(part) for part in first["loc"])
    known = next((names[path[:n]] for n in range(len(path), 0, -1) if path[:n] in names), where)
    return f"{known} {first.get('input')!r}: {what}"
