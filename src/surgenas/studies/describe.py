"""What is there? A network layer by layer, the devices, the spaces, the methods."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from surgenas.core.architecture import read_architecture
from surgenas.core.errors import SurgenasError, UsageError


def describe(
    arch: Path | None, uniform: str | None, *, layout: str, resolution: int, width: float, classes: int
) -> dict[str, Any]:
    """A network layer by layer: operator, output shape, MACs, parameters."""
    from surgenas.core import moves
    from surgenas.nn.cost import layer_costs
    from surgenas.spaces import make_space, space_of

    if (arch is None) == (uniform is None):
        raise UsageError("describe needs either --arch FILE or --uniform OPERATOR, for example --uniform k7e6")
    if arch is not None:
        found = read_architecture(arch)
        space = space_of(found)
    else:
        space = make_space("mobile", {"layout": layout, "resolution": resolution, "width": width, "classes": classes})
        found = moves.uniform_architecture(space, uniform or "")
    rows = layer_costs(space.parts(found), space.input_shape)
    names = [name for name, _ in space.parts(found)]
    genes = {choice.name: gene for choice, gene in zip(space.choices, found.genes, strict=True)}
    layers = [
        {
            "name": name,
            "operator": genes.get(name, "fixed"),
            "out_shape": list(row.out_shape),
            "macs": row.macs,
            "params": row.params,
        }
        for name, row in zip(names, rows, strict=True)
    ]
    return {
        "architecture": found.to_dict(),
        "key": moves.canonical_key(space, found),
        "layers": layers,
        "macs": sum(row.macs for row in rows),
        "params": sum(row.params for row in rows),
    }


def devices() -> dict[str, Any]:
    """Every catalogued device: what it is, or what is missing."""
    from surgenas.hardware.devices import make_target, shipped_names

    found: dict[str, Any] = {}
    for name in shipped_names():
        try:
            found[name] = make_target(name).describe().to_json()
        except SurgenasError as error:
            found[name] = {"unusable": str(error)}
    return found


def spaces() -> dict[str, Any]:
    """Every space with its layouts: searchable layers, operators, number of architectures, input resolution."""
    from surgenas.core import moves
    from surgenas.spaces import CATALOG, make_space
    from surgenas.spaces.layouts import LAYOUTS

    made = {f"mobile --layout {layout}": make_space("mobile", {"layout": layout}) for layout in LAYOUTS}
    made |= {name: make_space(name, {}) for name in CATALOG if name != "mobile"}
    return {
        name: {
            "layers": len(space.choices),
            "operators": list(max(space.choices, key=lambda choice: len(choice.options)).options),
            "architectures": float(f"{moves.size(space):.3g}"),
            "resolution": space.input_shape[1],
        }
        for name, space in made.items()
    }


def methods() -> dict[str, Any]:
    """By method what --set takes with its default, and the names behind; those of bench search; the predictors."""
    from surgenas.core.catalog import look_up
    from surgenas.methods import BLACK_BOX, CATALOG, SAMPLERS, single_path, spos, surgenas
    from surgenas.methods.indicators import DROPOUTS
    from surgenas.methods.lambda_search import WAYS
    from surgenas.predictors import CATALOG as PREDICTORS

    kinds = {name: look_up("method", name, CATALOG) for name in CATALOG}
    names: dict[str, dict[str, Iterable[str]]] = {
        "surgenas": {"sampler": SAMPLERS, "estimator": surgenas.ESTIMATORS, "loss": surgenas.LOSSES},
        "spos": {"sampler": spos.TRAINED_BY},
        "hurricane": {"sampler": spos.TRAINED_BY},
        "single-path": {"loss": single_path.LOSSES, "indicator_dropout": DROPOUTS, "search_lambda": WAYS},
    }
    return {
        **{
            name: {
                "space": kind.default_space,
                "settings": {field.name: field.default for field in fields(kind.Config)},
                "names": {setting: list(known) for setting, known in names.get(name, {}).items()},
            }
            for name, kind in kinds.items()
        },
        "bench search": list(BLACK_BOX),
        "predictors": list(PREDICTORS),
    }
