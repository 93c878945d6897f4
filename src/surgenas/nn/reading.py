"""How do weights by anybody get into memory? As tensors and nothing else: no file can run code here."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

from torch import Tensor

from surgenas.core.errors import UsageError

KINDS = (".safetensors", ".pth", ".pt", ".bin", ".pth.tar")
"""How the names of files with weights end."""


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors in a file of weights, by name; floating-point numbers of any precision as float32.

    Files are safetensors, or what torch.save wrote: a state_dict, alone or beside other things under one of its usual
    names (of several the averaged one: state_dict_ema, model_ema, state_dict, model). Prefixes that wrappers leave in
    names (`module.`, `_orig_mod.`) are removed. Raises UsageError for a missing, damaged or other kind of file, and for
    a pickle of anything but tensors and plain values.
    """
    if not path.name.endswith(KINDS):
        raise UsageError(f"{path} is no file of weights by its name; expected one that ends in {', '.join(KINDS)}")
    found = _plain(path)
    tensors = {name: value for name, value in found.items() if isinstance(value, Tensor)}
    if len(tensors) < len(found):
        held = ", ".join(ascii(str(name)[:40]) for name in list(found)[:4])
        raise UsageError(
            f"{path} holds {held} and more than tensors; expected tensors by name, alone or under state_dict, model, "
            "state_dict_ema or model_ema"
        )
    if not tensors:
        raise UsageError(f"{path} holds no tensors; expected the weights of a network")
    return {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}


def _plain(path: Path) -> dict[str, Any]:
    """What the file holds where weights usually are; torch.load reads pickles with weights_only."""
    from timm.models import load_state_dict

    try:
        with path.open("rb"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old formats; what they hold is checked here
            return load_state_dict(str(path), weights_only=True)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}; expected a file of weights") from error
    except Exception as error:
        if isinstance(error.__cause__, pickle.UnpicklingError):
            raise UsageError(
                f"{path} is damaged, or a pickle of more than tensors, which could run code and is not read; save the "
                "network's state_dict(), at best as .safetensors"
            ) from error
        why = f"{type(error).__name__}: {error}".splitlines()[0].split(". ")[0]  # torch writes whole paragraphs
        raise UsageError(f"{path} is damaged, or no weights by name ({why}); get it again") from error
