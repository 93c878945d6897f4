"""Checkpoints that survive a kill at any moment. Each is written to a new folder, flushed to disk and renamed; its
digests are checked when it is read."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from safetensors.torch import load, save
from torch import Tensor

from surgenas.core.errors import CorruptError
from surgenas.core.files import cannot_write, sync_folder, write_atomic

KEEP = 2
"""How many checkpoints are kept, the newest ones."""


class Checkpoints:
    """The checkpoints of one state in one folder. Each has a number, which grows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, number: int, state: dict[str, Any]) -> None:
        """Write a checkpoint and remove the oldest ones.

        state: nested dicts, lists, numbers, strings and tensors; tuples come back as lists. Raises EnvironmentFault if
        it cannot be written.
        """
        tensors: dict[str, Tensor] = {}
        skeleton = json.dumps(_flatten(state, tensors)).encode()
        body = save({name: t.detach().cpu().contiguous() for name, t in tensors.items()})
        beside, final = self.folder / f".{number:06d}.part", self._path(number)
        try:
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir(parents=True)
        except OSError as error:
            raise cannot_write(beside, len(body), error) from error
        write_atomic(beside / "tensors.safetensors", body)
        write_atomic(beside / "state.json", skeleton)
        write_atomic(beside / "manifest.json", json.dumps([_digest(body), _digest(skeleton)]).encode())
        shutil.rmtree(final, ignore_errors=True)
        os.replace(beside, final)
        sync_folder(self.folder)
        for old in self.numbers()[:-KEEP]:
            shutil.rmtree(self._path(old), ignore_errors=True)

    def load(self) -> tuple[int, dict[str, Any]] | None:
        """The number and the state of the newest undamaged checkpoint; None if there is none at all.

        Raises CorruptError if there are checkpoints and all of them are damaged.
        """
        numbers = self.numbers()
        for number in reversed(numbers):
            state = self._load(number)
            if state is not None:
                return number, state
        if numbers:
            raise CorruptError(f"no checkpoint under {self.folder} is whole; remove the folder to repeat that stage")
        return None

    def numbers(self) -> list[int]:
        """The numbers of the checkpoints in the folder, rising; damaged ones are included."""
        if not self.folder.is_dir():
            return []
        return sorted(int(p.name) for p in self.folder.iterdir() if p.name.isdigit())

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}"

    def _load(self, number: int) -> dict[str, Any] | None:
        path = self._path(number)
        try:
            body, skeleton = ((path / name).read_bytes() for name in ("tensors.safetensors", "state.json"))
            if json.loads((path / "manifest.json").read_bytes()) != [_digest(body), _digest(skeleton)]:
                return None
        except (OSError, ValueError):
            return None
        state = _restore(json.loads(skeleton), load(body))
        assert isinstance(state, dict)
        return state


def _flatten(value: Any, tensors: dict[str, Tensor]) -> Any:
    """The value as JSON. Tensors are moved to `tensors` and replaced by their names; keys of dicts keep their type."""
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value
        return {"$tensor": name}
    if isinstance(value, dict):
        return {"$dict": [[key, _flatten(item, tensors)] for key, item in value.items()]}
    if isinstance(value, (list, tuple)):
        return [_flatten(item, tensors) for item in value]
    return value


def _restore(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, dict):
        if "$tensor" in value:
            return tensors[value["$tensor"]]
        return {key: _restore(item, tensors) for key, item in value["$dict"]}
    if isinstance(value, list):
        return [_restore(item, tensors) for item in value]
    return value


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
