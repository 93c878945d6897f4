"""Search spaces: one file each; a catalogued name or any "package.module:Class" path names one."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from surgenas.core.architecture import Architecture, Setting
from surgenas.core.catalog import look_up, make
from surgenas.core.errors import UsageError
from surgenas.core.space import Space

CATALOG = {
    "mobile": "surgenas.spaces.mobile:Mobile",
    "mobile_multi": "surgenas.spaces.mobile_multi:MobileMulti",
    "mobile_bits": "surgenas.spaces.mobile_bits:MobileBits",
    "single_path": "surgenas.spaces.single_path:SinglePath",
    "single_path_se": "surgenas.spaces.single_path:SinglePathSE",
    "operators": "surgenas.spaces.operators:Operators",
    "shuffle": "surgenas.spaces.operators:Shuffle",
    "nasbench201": "surgenas.spaces.nasbench201:NASBench201",
    "fbnet": "surgenas.spaces.fbnet:FBNet",
    "macro": "surgenas.spaces.macro:Macro",
    "darts": "surgenas.spaces.darts:Darts",
    "elastic": "surgenas.spaces.elastic:Elastic",
    "concat": "surgenas.spaces.concat:Concat",
    "compound": "surgenas.spaces.compound:Compound",
}


def settings_of(name: str) -> dict[str, inspect.Parameter]:
    """What a space takes, by name; raises UsageError for one that is not there.

    A constructor that hands its further keywords on takes what its base takes.
    """
    kind: Any = look_up("space", name, CATALOG)
    if not isinstance(kind, type):
        raise UsageError(f"{name!r} is not a search space; one of {', '.join(CATALOG)}")
    found: dict[str, inspect.Parameter] = {}
    for base in kind.__mro__:
        if "__init__" not in vars(base):
            continue
        parameters = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
        found = {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY} | found
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return found


def make_space(name: str, settings: Mapping[str, Setting]) -> Space:
    """The space of that name (or path "package.module:Class") with these settings.

    Raises UsageError for a name that is no space, or a setting that the space does not take.
    """
    if name in CATALOG and (unknown := [key for key in settings if key not in settings_of(name)]):
        raise UsageError(f"space {name!r} has no setting {unknown[0]!r}; one of {', '.join(settings_of(name))}")
    try:
        space = make("space", name, CATALOG, **settings)
    except TypeError as error:
        raise UsageError(f"space {name!r}: {error}") from error
    if not isinstance(space, Space):
        raise UsageError(f"{name!r} is not a search space; one of {', '.join(CATALOG)}")
    return space


def make_like(known: Space, arch: Architecture) -> Space:
    """The space of an architecture that has other settings than a known space of that name; raises UsageError if the
    settings or genes do not fit."""
    try:
        space = type(known)(**dict(arch.space.settings))
    except TypeError as error:
        raise UsageError(f"space {known.name!r}: {error}") from error
    space.check(arch)
    return space


def space_of(arch: Architecture) -> Space:
    """The catalogued space that an architecture names; raises UsageError if none is named or the genes do not fit."""
    if arch.space.name not in CATALOG:  # an architecture file is data: it must not make us import a module
        raise UsageError(f"unknown space {arch.space.name!r} in the architecture; one of {', '.join(CATALOG)}")
    space = make_space(arch.space.name, dict(arch.space.settings))
    space.check(arch)
    return space
