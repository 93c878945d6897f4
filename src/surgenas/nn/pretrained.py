"""How does a network begin with weights that exist? All of them are put in, but for the layer that names classes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from surgenas.core.errors import UsageError
from surgenas.nn.loaded import Loaded

Tensors = Mapping[str, Tensor]
SHOWN = 2
"""How many tensors of each kind of difference a message names."""


def load_start(network: nn.Module, tensors: Tensors, source: str) -> Loaded:
    """Put weights into a network of timm that was made by name, whatever its number of classes and its image size.

    The classifier is loaded if the weights have one for as many classes; else it is set to zero, so that the network
    says all classes equally likely: timm's initial one can be so large that its loss spoils the other weights. Every
    other tensor of the network must be there by name and shape; where it is not, timm's own translation for this family
    is tried, which resamples position embeddings to another image size, and knows the names that other libraries use.
    Batch counters may be missing. source: what a person calls the weights. Raises UsageError if they do not fit.
    """
    fit = _fit(network, tensors)
    if fit.wrong:
        refusal = UsageError(_refusal(network, fit, source))
        try:
            fit = _fit(network, _translated(network, tensors))
        except Exception as error:  # whatever a translation meets in tensors of another network
            raise refusal from error
        if fit.wrong:
            raise refusal
    was_training = network.training
    network.train()  # in eval mode some families keep copies of weights, which loading would not reach
    network.load_state_dict(fit.tensors, strict=False)
    with torch.no_grad():
        for name in fit.fresh:
            network.get_parameter(name).zero_()
    network.train(was_training)
    return Loaded(source, len(fit.tensors), fit.fresh)


# --- what fits


@dataclass(frozen=True, eq=False)
class _Fit:
    """tensors: what can be loaded. fresh: the names of the network's own that are left as they are. wrong: every tensor
    that does not fit, and why, by kind of difference."""

    tensors: dict[str, Tensor]
    fresh: tuple[str, ...]
    wrong: list[list[str]]


def _fit(network: nn.Module, tensors: Tensors) -> _Fit:
    own, heads = network.state_dict(), _classifiers(network)
    head = tuple(name for name in own if name.startswith(heads))
    fresh = head if any(name not in tensors or tensors[name].shape[:1] != own[name].shape[:1] for name in head) else ()
    taken = {name: tensors[name] for name in own if name in tensors and name not in fresh}
    computed = {name for name, _ in network.named_buffers()} - own.keys()  # older files hold them
    wrong = [
        [f"{name!r} is {_shape(value)} instead of {_shape(own[name])}" for name, value in taken.items()
         if value.shape != own[name].shape],
        [f"{name!r} has other features" for name in fresh
         if name in tensors and tensors[name].shape[1:] != own[name].shape[1:]],
        [f"{name!r} is missing" for name in own
         if name not in (*tensors, *fresh) and not name.endswith("num_batches_tracked")],
        [f"{name[:80]!a} is not in the network" for name in tensors
         if name not in own.keys() | computed and not name.startswith(heads)],
    ]  # fmt: skip
    return _Fit(taken, fresh, [kind for kind in wrong if kind])


def _classifiers(network: nn.Module) -> tuple[str, ...]:
    """How the names of the tensors of what names classes begin; some families have two such layers."""
    names = getattr(network, "pretrained_cfg", {}).get("classifier") or ()
    return tuple(f"{name}." for name in ((names,) if isinstance(names, str) else names))


def _translated(network: nn.Module, tensors: Tensors) -> Tensors:
    """The tensors as timm's loading would have them for this family; the same where it has no way of its own."""
    translate = getattr(sys.modules[type(network).__module__], "checkpoint_filter_fn", None)
    return translate(dict(tensors), network) if translate else tensors


def _refusal(network: nn.Module, fit: _Fit, source: str) -> str:
    name = getattr(network, "pretrained_cfg", {}).get("architecture") or type(network).__name__
    shown = [tensor for kind in fit.wrong for tensor in kind[:SHOWN]]
    return (
        f"{source} does not hold the weights of {name}: {sum(map(len, fit.wrong))} tensor(s) differ, for example "
        f"{', '.join(shown)}; name the network that they are of, or give weights of {name}"
    )


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a number"
