"""A network's weights as a file of safetensors, which is data and nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from surgenas.core.errors import CorruptError
from surgenas.core.files import write_atomic
from surgenas.core.work import Weights


def save_weights(path: Path, state: dict[str, Tensor]) -> Weights:
    """Write weights; after a crash the file holds the old ones or the new ones."""
    content = save({name: t.detach().cpu().contiguous() for name, t in state.items()})
    write_atomic(path, content)
    return Weights(str(path), hashlib.sha256(content).hexdigest())


def load_weights(path: Path, network: nn.Module, digest: str | None = None) -> nn.Module:
    """Load the weights that `save_weights` wrote into a network, and return it. digest: their SHA-256, if it is known.

    Raises CorruptError if the file is missing, is not what it was, or does not fit the network.
    """
    tensors = read_weights(path, digest)
    try:
        network.load_state_dict(tensors)
    except Exception as error:
        raise CorruptError(f"{path} does not hold the weights of this architecture ({error})") from error
    return network


def read_weights(path: Path, digest: str | None = None) -> dict[str, Tensor]:
    """The weights that `save_weights` wrote, by name. digest: their SHA-256, if it is known.

    Raises CorruptError if the file is missing, or is not what it was.
    """
    try:
        content = path.read_bytes()
        if digest not in (None, hashlib.sha256(content).hexdigest()):
            raise CorruptError(f"{path} is damaged; `surgenas resume` makes it again once it is removed")
        return load(content)
    except OSError as error:
        raise CorruptError(f"{path}: {error.strerror}; `surgenas resume` goes on until it is there") from error
    except SafetensorError as error:
        raise CorruptError(f"{path} does not hold the weights of this architecture ({error})") from error
