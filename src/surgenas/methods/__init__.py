"""Published search methods, one file each, and the samplers and selections they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from surgenas.core.catalog import look_up
from surgenas.core.errors import UsageError, complaint

if TYPE_CHECKING:
    from surgenas.methods.base import Method

CATALOG = {
    "surgenas": "surgenas.methods.surgenas:SurgeNAS",
    "single-path": "surgenas.methods.single_path:SinglePathNAS",
    "spos": "surgenas.methods.spos:SPOS",
    "hurricane": "surgenas.methods.hurricane:Hurricane",
    "random": "surgenas.methods.random_search:RandomSearch",
    "regularized": "surgenas.methods.regularized:RegularizedEvolution",
    "evolution": "surgenas.methods.evolution:Generations",
    "local": "surgenas.methods.local_search:LocalSearch",
    "nsga2": "surgenas.methods.nsga2:NSGA2",
    "halving": "surgenas.methods.halving:SuccessiveHalving",
    "weaknas": "surgenas.methods.weaknas:WeakNAS",
    "weaknas-forest": "surgenas.methods.weaknas:Forest",
    "weaknas-boosting": "surgenas.methods.weaknas:Boosting",
    "weaknas-ei": "surgenas.methods.weaknas:ExpectedImprovement",
    "optuna-tpe": "surgenas.methods.optuna:TPE",
    "optuna-nsga2": "surgenas.methods.optuna:OptunaNSGA2",
    "nevergrad": "surgenas.methods.nevergrad:NevergradSearch",
}
"""The first four train weights that architectures share; the others see of an architecture its score alone, and the
last three of them are other people's."""
SAMPLERS = {
    "ods": "surgenas.methods.samplers:ordered_differentiable",
    "fair": "surgenas.methods.samplers:uniform_orderings",
    "gdas": "surgenas.methods.samplers:single_gumbel",
    "spos": "surgenas.methods.samplers:single_uniform",
    "darts": "surgenas.methods.samplers:all_paths",
}


def make_method(name: str, settings: Mapping[str, object]) -> Method:
    """The method with these settings. name: of the catalogue, or any "package.module:Class" path.

    Raises UsageError naming a setting that the method does not have, or a value that will not do.
    """
    kind: Any = look_up("method", name, CATALOG)
    if not isinstance(kind, type) or not is_dataclass(kind) or not {"name", "needs", "begin"} <= set(dir(kind)):
        raise UsageError(f"{name} is no search method; expected a dataclass with what methods.base.Method has")
    known = [field.name for field in fields(kind)]
    if unknown := [setting for setting in settings if setting not in known]:
        raise UsageError(f"--set: {name} has no setting {unknown[0]!r}; one of {', '.join(known)}")
    try:
        made: Any = TypeAdapter(kind).validate_python(dict(settings))
    except ValidationError as error:
        where, what = complaint(error)
        raise UsageError(f"--set {where}={error.errors()[0]['input']}: {what}") from None
    method: Method = made
    return method
