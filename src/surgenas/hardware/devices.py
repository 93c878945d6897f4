"""Which device is meant? One of the files in `device_files/`, a file of yours, or a "package.module:factory" path.

A device file is TOML: `runtime`, and where they differ from the defaults `threads` (1), `batch` (1), `precision` (fp32)
and `host`, which is reached by `ssh`, or `command`, any other command
that reaches a worker, for example ["docker", "exec", "-i", "box", "python3", "-m", "surgenas.hardware.worker"].

Where nothing is to be timed, it says `estimator` in place of `runtime`: one of ESTIMATORS or "package.module:Class",
whose fields are the other keys; paths are relative to the file.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from surgenas.core.catalog import look_up, make
from surgenas.core.cores import usable_cores
from surgenas.core.errors import EnvironmentFault, SurgenasError, UsageError, complaint
from surgenas.hardware import ESTIMATORS, RUNTIMES
from surgenas.hardware.context import host_fingerprint, processor_name
from surgenas.hardware.estimated.keys import make_estimator
from surgenas.hardware.runtimes import Runtime
from surgenas.hardware.target import Target
from surgenas.hardware.timed.device import RuntimeDevice
from surgenas.hardware.timed.link import HERE, Link
from surgenas.hardware.timed.session import Greeting
from surgenas.hardware.timed.store import default_store

SHIPPED = Path(__file__).parent / "device_files"


class DeviceFile(BaseModel):
    """The contents of a device file; keys that are not listed here are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    runtime: str
    threads: Annotated[int, Field(strict=True, ge=1, le=1024)] = 1
    batch: Annotated[int, Field(strict=True, ge=1, le=4096)] = 1
    precision: Literal["fp32", "fp16", "bf16", "int8"] = "fp32"
    command: Annotated[list[str], Field(min_length=1)] | None = None
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.@:%-]*$")] | None = None

    @property
    def worker_command(self) -> tuple[str, ...] | None:
        """The command that reaches a worker elsewhere, with the path of a runtime that is not catalogued as its last
        argument; None if the device is here."""
        to_greet = () if self.runtime in RUNTIMES else (self.runtime,)
        if self.command:
            return (*self.command, *to_greet)
        return ("ssh", self.host, "python3", "-m", "surgenas.hardware.worker", *to_greet) if self.host else None


def shipped_names() -> list[str]:
    """The names of the devices that this package brings along, sorted."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def make_target(name: str) -> Target:
    """The device of that name. Raises UsageError for one that is not known or not described, EnvironmentFault for a
    runtime that is not installed, DeviceLost for a command that reaches nobody."""
    if name in shipped_names():
        return _from_file(name, SHIPPED / f"{name}.toml")
    if name.endswith(".toml"):
        return _from_file(Path(name).stem, Path(name))
    if ":" in name:
        target = make("device", name, dict.fromkeys(shipped_names(), ""))
        if not isinstance(target, Target):
            raise UsageError(
                f"device {name!r} makes a {type(target).__name__}, which has no `price`; expected a Target"
            )
        return target
    raise UsageError(
        f"unknown device {name!r}; one of {', '.join(shipped_names())}, a device file like my-phone.toml, or a path "
        "like package.module:factory"
    )


def _from_file(name: str, path: Path) -> Target:
    record = _read(path)
    if "estimator" in record:
        return _estimator(name, path, record)
    return _device(name, path, _validated(path, record))


def _estimator(name: str, path: Path, record: dict[str, Any]) -> Target:
    if "runtime" in record:
        raise UsageError(f"device file {path}: either runtime or estimator, not both")
    keys = {key: value for key, value in record.items() if key != "estimator"}
    try:
        kind = look_up("estimator", str(record["estimator"]), ESTIMATORS)
        return make_estimator(kind, name, keys, path.parent)
    except SurgenasError as error:
        raise type(error)(f"device file {path}: {error}") from error


def _device(name: str, path: Path, file: DeviceFile) -> RuntimeDevice:
    if file.host and file.command:
        raise UsageError(f"device file {path}: either host or command, not both")
    try:
        runtime = _runtime(file.runtime)
    except SurgenasError as error:
        raise type(error)(f"device file {path}: {error}") from error
    if file.precision not in runtime.precisions:
        known = ", ".join(runtime.precisions)
        raise UsageError(f"device file {path}: {file.runtime} has no {file.precision}; one of {known}")
    if file.batch > 1 and not runtime.takes_batches:
        raise UsageError(f"device file {path}: {file.runtime} computes one image at a time; leave out batch")
    link = Link(file.worker_command or HERE)
    if file.worker_command:
        far = link.greet()
        if runtime.name not in far.runtimes:
            raise EnvironmentFault(f"{name}: {file.runtime} is not installed there; found {', '.join(far.runtimes)}")
    else:
        far = Greeting(host_fingerprint(), processor_name(), {runtime.name: _version(runtime)}, usable_cores())
        if lack := runtime.missing_feature(file.precision):
            raise EnvironmentFault(f"this processor has no {lack}")
    if far.cores and file.threads > far.cores:
        raise EnvironmentFault(
            f"{name}: {file.threads} threads, but {far.cores} core{'s' * (far.cores > 1)} may be used (affinity, "
            f"container); a device file with threads = {far.cores} can be measured"
        )
    return RuntimeDevice(name, runtime, default_store(), far, file.threads, file.batch, file.precision, link)


def _runtime(name: str) -> Runtime:
    """The runtime of that name or path; raises UsageError for what is none, or has the name of a catalogued one."""
    runtime = make("runtime", name, RUNTIMES)
    if not isinstance(runtime, Runtime):
        raise UsageError(f"runtime {name!r} makes a {type(runtime).__name__}; expected a hardware.runtimes.Runtime")
    if name not in RUNTIMES and (not isinstance(getattr(runtime, "name", None), str) or runtime.name in RUNTIMES):
        raise UsageError(f"runtime {name!r} needs a `name` of its own, under which its latencies are kept")
    return runtime


def _version(runtime: Runtime) -> str:
    try:
        return runtime.version
    except SurgenasError:
        raise
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise EnvironmentFault(f"runtime {runtime.name} does not tell its version: {why}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise UsageError(f"device file {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"device file {path}: not TOML ({error})") from error


def _validated(path: Path, record: dict[str, Any]) -> DeviceFile:
    try:
        return DeviceFile.model_validate(record)
    except ValidationError as error:
        known = ", ".join(DeviceFile.model_fields)
        also = "" if "runtime" in record else "; or estimator, where nothing is to be timed"
        raise UsageError(f"device file {path}: {': '.join(complaint(error))}; known keys: {known}{also}") from None
