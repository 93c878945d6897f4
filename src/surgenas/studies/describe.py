"""What is there to choose from? Devices, spaces, methods and predictors; and a network layer by layer."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from surgenas.core import capabilities, moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Named, require
from surgenas.core.catalog import look_up
from surgenas.core.errors import EnvironmentFault, SurgenasError, UsageError
from surgenas.core.record import Record
from surgenas.hardware.devices import make_target, shipped_names
from surgenas.hardware.target import TargetInfo
from surgenas.hardware.timed.device import RuntimeDevice
from surgenas.methods import CATALOG as METHODS
from surgenas.methods import make_method
from surgenas.methods.base import Needs
from surgenas.nn.cost import layer_costs
from surgenas.predictors import CATALOG as PREDICTORS
from surgenas.runs.found import read_with_space
from surgenas.spaces import CATALOG as SPACES
from surgenas.spaces import make_space, settings_of
from surgenas.spaces.layouts import LAYOUTS


@dataclass(frozen=True)
class LayerRow(Record):
    """A part of a network. out_shape: (C, H, W) of its output."""

    name: str
    operator: str
    out_shape: tuple[int, ...]
    macs: float
    params: int


@dataclass(frozen=True)
class Description(Record):
    """A network layer by layer. key: the canonical key, the same for all architectures that are this network."""

    architecture: Architecture
    key: str
    layers: tuple[LayerRow, ...]
    macs: float
    params: int


@dataclass(frozen=True)
class SettingRow(Record):
    """A setting: its type or the names that it takes, its default, and its meaning."""

    name: str
    takes: str
    default: str
    meaning: str


@dataclass(frozen=True)
class SpaceRow(Record):
    """A space at its default settings. what: a sentence about it. can: names of its capabilities
    (core.capabilities)."""

    what: str
    layers: int
    operators: tuple[str, ...]
    architectures: float
    resolution: int
    can: tuple[str, ...]
    settings: tuple[SettingRow, ...]


@dataclass(frozen=True)
class MethodRow(Record):
    """A method. what: a sentence about it. space: its default space. shares: the ways to share weights that it can
    train; empty if it trains candidates by themselves. needs: fields of methods.base.Needs that differ from their
    default."""

    what: str
    space: str
    shares: tuple[str, ...]
    needs: Mapping[str, Any]
    settings: tuple[SettingRow, ...]


@dataclass(frozen=True)
class MethodList(Record):
    """All methods and all latency predictors, by name."""

    methods: Mapping[str, MethodRow]
    predictors: Mapping[str, str]


@dataclass(frozen=True)
class Unusable(Record):
    """Why a shipped target cannot be used here."""

    unusable: str


def describe(
    arch: Path | None, uniform: str | None, *, layout: str, resolution: int, width: float, classes: int
) -> Description:
    """Describe a network: operator, output shape, MACs and parameters of each layer.

    arch: an architecture file or a run folder. uniform: instead, an operator that every layer takes, in the space
    `mobile` with the other arguments. Raises UsageError unless exactly one of the two is given.
    """
    if (arch is None) == (uniform is None):
        raise UsageError("describe needs either --arch FILE or --uniform OPERATOR, for example --uniform k7e6")
    if arch is not None:
        found, space = read_with_space(arch)
    else:
        space = make_space("mobile", {"layout": layout, "resolution": resolution, "width": width, "classes": classes})
        found = moves.uniform_architecture(space, uniform or "")
    rows = layer_costs(require(space, Named).parts(found), space.input_shape)
    layers = tuple(LayerRow(r.name, moves.taken_in(space, found, r.name), r.out_shape, r.macs, r.params) for r in rows)
    macs, params = sum(row.macs for row in rows), sum(row.params for row in rows)
    return Description(found, moves.canonical_key(space, found), layers, macs, params)


def devices() -> dict[str, TargetInfo | Unusable]:
    """Every shipped device, by name; unusable is also one for which no network can be converted here."""
    found: dict[str, TargetInfo | Unusable] = {}
    for name in shipped_names():
        try:
            target = make_target(name)
            if isinstance(target, RuntimeDevice):
                target.runtime.check_converters()
            found[name] = target.describe()
        except SurgenasError as error:
            found[name] = Unusable(str(error))
    return found


def spaces(names: Sequence[str] = ()) -> dict[str, SpaceRow]:
    """Spaces by name; those with layouts once for each layout.

    names: which; "package.module:Class" paths too; empty for all that are catalogued. Raises UsageError for what is no
    space, or cannot be made without settings.
    """
    found: dict[str, SpaceRow] = {}
    for name in names or SPACES:
        layouts = LAYOUTS if name == "mobile" else {"": None}
        for layout in layouts:
            settings = {"layout": layout} if layout else {}
            found[f"{name} --layout {layout}" if layout else name] = _space_row(name, settings)
    return found


def _space_row(name: str, settings: dict[str, str]) -> SpaceRow:
    space, kind = make_space(name, dict(settings)), look_up("space", name, SPACES)
    can = [c for c in ("SharesWeights", "Counted", "Named", "Scalable", "Selectable", "Indexed", "Boxed")
           if isinstance(space, getattr(capabilities, c))]  # fmt: skip
    rows = [
        SettingRow(p.name, _plain_type(p.annotation), "" if p.default is inspect.Parameter.empty else str(p.default),
                   _meaning(kind, p.name))
        for p in settings_of(name).values()
    ]  # fmt: skip
    options = max((choice.options for choice in space.choices), key=len)
    return SpaceRow(
        _about(kind, SPACES), len(space.choices), options, float(f"{moves.size(space):.3g}"),
        space.input_shape[1], tuple(can), tuple(rows),
    )  # fmt: skip


def methods(names: Sequence[str] = ()) -> MethodList:
    """Methods with all their settings; one whose package is not installed says so in `what` and has no settings.

    names: which; "package.module:Class" paths too; empty for all that are catalogued. Raises UsageError for what is no
    method.
    """
    found: dict[str, MethodRow] = {}
    for name in names or METHODS:
        try:
            found[name] = _method_row(name)
        except EnvironmentFault as error:
            found[name] = MethodRow(str(error), "", (), {}, ())
    predictors = {name: _first_sentence(look_up("predictor", name, PREDICTORS)) for name in PREDICTORS}
    return MethodList(found, predictors)


def _method_row(name: str) -> MethodRow:
    made: Any = make_method(name, {})
    kind = type(made)
    needs: Needs = made.needs(make_space(kind.default_space, {}))
    hints = get_type_hints(kind)
    rows = [
        SettingRow(f.name, _plain_type(hints[f.name]), _default(f), _meaning(kind, f.name))
        for f in fields(kind)
        if f.init and f.name != "epochs" and not callable(getattr(made, f.name))  # --epochs; what no text can say
    ]
    told = {
        f.name: value for f in fields(needs) if (value := getattr(needs, f.name)) != f.default and f.name != "shares"
    }
    return MethodRow(_about(kind, METHODS), kind.default_space, needs.shares, told, tuple(rows))


def _default(field: Any) -> str:
    if field.default is not MISSING:
        return "" if callable(field.default) else str(field.default)
    return "" if field.default_factory is MISSING else str(field.default_factory())


def _plain_type(annotation: Any) -> str:
    """A type as a person says it: a number, yes or no, or the names that are allowed."""
    names = get_args(annotation)
    if names and all(isinstance(name, str) for name in names):
        return ", ".join(filter(None, names))
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    return {"int": "whole number", "float": "number", "bool": "true or false", "str": "text"}.get(text, text)


def _meaning(kind: Any, name: str) -> str:
    """What the docstring of the class, or of a base class, says of a setting: the sentence `name: meaning.` that begins
    with its name."""
    for base in kind.__mro__:
        text = " ".join((base.__doc__ or "").split())
        if text.startswith(f"{base.__name__}("):  # a dataclass without a docstring has its signature there
            continue
        for sentence in re.split(r"\.\)? ", text):
            names, colon, meaning = sentence.partition(": ")
            if colon and name in [word.strip() for word in names.split(",")]:
                return meaning.rstrip(".")
    return ""


def _about(kind: Any, catalog: Mapping[str, str]) -> str:
    """A sentence about a catalogued class: of its module, or of itself if it shares the module with others."""
    alike = [path for path in catalog.values() if path.startswith(f"{kind.__module__}:")]
    return _first_sentence(kind if len(alike) > 1 else inspect.getmodule(kind))


def _first_sentence(thing: Any) -> str:
    text = " ".join((inspect.getdoc(thing) or "").split())
    return re.split(r"(?<!al)\. ", text)[0].rstrip(".")
