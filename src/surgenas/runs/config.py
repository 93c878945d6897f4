"""Everything that defines a run: enough to repeat it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from surgenas.core.architecture import read_space
from surgenas.core.errors import CorruptError, UsageError, complaint
from surgenas.spaces import CATALOG

FORMAT = "surgenas.run/1"


class RunConfig(BaseModel):
    """latency_ms None: half the latency of the space's largest network. epochs and train_epochs 0, samples 0: by the
    data. space: empty, the method's own. space_settings: of a space file, over what is here. random: how many random
    architectures of equal latency are trained beside; uniform: how many of any latency. devices: accelerators to train
    on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str = "digits"
    device: str = "onnxruntime-cpu"
    latency_ms: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    method: str = "surgenas"
    space: str = ""
    space_settings: dict[str, str | int | float] = Field(default_factory=dict)
    layout: str = "small"
    resolution: Annotated[int, Field(ge=0, le=2048)] = 0
    width: Annotated[float, Field(ge=0.05, le=16)] = 1.0
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    epochs: Annotated[int, Field(ge=0)] = 0
    train_epochs: Annotated[int, Field(ge=0)] = 0
    batch: Annotated[int, Field(ge=2)] = 64
    samples: Annotated[int, Field(ge=0)] = 0
    predictors: tuple[str, ...] = ("process", "gnn", "mlp", "ridge", "lookup", "flops")
    random: Annotated[int, Field(ge=0, le=100)] = 0
    uniform: Annotated[int, Field(ge=0, le=100)] = 0
    max_corrupt: Annotated[float, Field(ge=0, le=1)] = 0.05
    time_limit_s: Annotated[float, Field(gt=0)] | None = None
    accelerator: str = "auto"
    devices: Annotated[int, Field(ge=1)] = 1
    strict: bool = False
    method_settings: dict[str, str | float | int | bool] = Field(default_factory=dict)


def make_config(**values: Any) -> RunConfig:
    """A checked configuration, of which `space` may be a space file; raises UsageError naming the field, the value and
    what is expected."""
    space = str(values.get("space", ""))
    if space.endswith(".json"):
        spec = read_space(space)
        if spec.name not in CATALOG:  # a space file is data: it must not make us import a module
            raise UsageError(f"{space}: unknown space {spec.name!r}; one of {', '.join(CATALOG)}")
        values |= {"space": spec.name, "space_settings": dict(spec.settings)}
    try:
        return RunConfig(**values)
    except ValidationError as error:
        raise UsageError(_first(error)) from None


def read_config(record: object) -> RunConfig:
    """The configuration part of config.json; raises CorruptError if it is not one."""
    try:
        return RunConfig.model_validate(record)
    except ValidationError as error:
        raise CorruptError(f"config.json: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    where, what = complaint(error)
    return f"{where} {error.errors()[0].get('input')!r}: {what}"
