"""Published search methods, one file each, and the samplers and selections they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from inspect import isabstract
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

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
    "netadapt": "surgenas.methods.netadapt:NetAdapt",
    "netadaptv2": "surgenas.methods.netadaptv2:NetAdaptV2",
    "darts": "surgenas.methods.darts:DARTS",
    "darts-pt": "surgenas.methods.darts:DARTSPT",
    "la-darts": "surgenas.methods.la_darts:LADARTS",
    "parsec": "surgenas.methods.fp_nas:PARSEC",
    "fp-nas": "surgenas.methods.fp_nas:FPNAS",
    "flash": "surgenas.methods.flash:Flash",
    "drawn": "surgenas.methods.drawn:Drawn",
    "random": "surgenas.methods.random_search:RandomSearch",
    "regularized": "surgenas.methods.regularized:RegularizedEvolution",
    "evolution": "surgenas.methods.evolution:Generations",
    "local": "surgenas.methods.local_search:LocalSearch",
    "nsga2": "surgenas.methods.nsga2:NSGA2",
    "halving": "surgenas.methods.halving:SuccessiveHalving",
    "race": "surgenas.methods.race:Race",
    "mcts": "surgenas.methods.tree_search:TreeSearch",
    "hao": "surgenas.methods.hao:HAO",
    "weaknas": "surgenas.methods.weaknas:WeakNAS",
    "weaknas-forest": "surgenas.methods.weaknas:Forest",
    "weaknas-boosting": "surgenas.methods.weaknas:Boosting",
    "weaknas-ei": "surgenas.methods.weaknas:ExpectedImprovement",
    "optuna-tpe": "surgenas.methods.optuna:TPE",
    "optuna-nsga2": "surgenas.methods.optuna:OptunaNSGA2",
    "nevergrad": "surgenas.methods.nevergrad:NevergradSearch",
}
"""Search methods by name. The first eleven train weights that architectures share, `drawn` searches nothing. The
others see nothing of an architecture but its score; the last three of them wrap optimizers of other packages (Optuna,
Nevergrad)."""
SAMPLERS = {
    "ods": "surgenas.methods.samplers:ordered_differentiable",
    "fair": "surgenas.methods.samplers:uniform_orderings",
    "gdas": "surgenas.methods.samplers:single_gumbel",
    "spos": "surgenas.methods.samplers:single_uniform",
    "darts": "surgenas.methods.samplers:all_paths",
}
"""Ways to draw the paths of one training step of a supernet, by name (methods/samplers.py)."""


def make_method(name: str, settings: Mapping[str, object]) -> Method:
    """The method of this name with these settings.

    name: a name of CATALOG, or a "package.module:Class" path. settings: values by field; what is left out keeps its
    default. Raises UsageError for an unknown name, for a setting that the method does not have, and for a value that
    the setting does not take.
    """
    kind: Any = look_up("method", name, CATALOG)
    wanted = {"name", "needs", "begin"}
    if not isinstance(kind, type) or not is_dataclass(kind) or not wanted <= set(dir(kind)) or isabstract(kind):
        raise UsageError(f"{name} is no search method; expected a dataclass with all that methods.base.Method has")
    known = [field.name for field in fields(kind)]
    if unknown := [setting for setting in settings if setting not in known]:
        which = f"one of {', '.join(known)}" if known else "it has none"
        raise UsageError(f"--set: {name} has no setting {unknown[0]!r}; {which}")
    hints = get_type_hints(kind)
    for setting, value in settings.items():  # pydantic would take True for 1
        if isinstance(value, bool) and bool not in (hints[setting], *get_args(hints[setting])):
            raise UsageError(f"--set {setting}={value}: expected no truth value")
    try:
        made: Any = TypeAdapter(kind).validate_python(dict(settings))
    except ValidationError as error:
        where, what = complaint(error)
        if error.errors()[0]["type"] == "missing":
            raise UsageError(f"{name} needs a value for {where}: --set {where}=VALUE") from None
        raise UsageError(f"--set {where}={error.errors()[0]['input']}: {what}") from None
    method: Method = made
    return method
