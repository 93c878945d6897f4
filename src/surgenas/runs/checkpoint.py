"""Checkpoints that survive a kill at any moment: new folder, fsync, rename; checked by digest; the last one is kept."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

from surgenas.core.errors import CorruptError
from surgenas.core.files import cannot_write, sync_folder, write_atomic

KEEP = 2


class Checkpoints:
    """Generations of one state under a folder, named by a growing number."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, number: int, state: dict[str, Any]) -> None:
        """Nested dicts, lists, numbers, strings and tensors. Raises EnvironmentFault if the disk does not take it."""
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
        """The newest generation that is whole, with its number; None if there never was one."""
        numbers = self.numbers()
        for number in reversed(numbers):
            state = self._load(number)
            if state is not None:
                return number, state
        if numbers:
            raise CorruptError(f"no checkpoint under {self.folder} is whole; remove the folder to repeat that stage")
        return None

    def numbers(self) -> list[int]:
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
    """JSON in which tensors are named and dict keys keep their type."""
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


def save_weights(path: Path, state: dict[str, Tensor]) -> None:
    """A network's weights as safetensors, atomically."""
    write_atomic(path, save({name: t.detach().cpu().contiguous() for name, t in state.items()}))


def load_weights(path: Path, network: torch.nn.Module) -> torch.nn.Module:
    """The network with the weights of a file that `save_weights` wrote; raises CorruptError if they do not fit."""
    try:
        network.load_state_dict(load(path.read_bytes()))
    except OSError as error:
        raise CorruptError(
            f"{path}: {error.strerror}; the run has not trained its network yet: `surgenas resume`"
        ) from error
    except Exception as error:
        raise CorruptError(f"{path} does not hold the weights of this architecture ({error})") from error
    return network
