"""Which sizes does a network keep outside its weights? Integers of its modules, patched for a call or for good.

Layers know their channels, an attention knows its heads. timm keeps copies of parameters beside them, which a call with
other weights must not see.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from surgenas.nn.elastic.structure import Shape, Structure

Integers = Mapping[str, Mapping[str, Any]]
"""By a module's path: attributes and their values."""
BY_HEADS = ("attn_dim", "all_head_dim", "key_attn_dim", "val_attn_dim", "inner_dim")
"""Attributes of timm's attentions that are so many channels a head."""
COPIES = "attention_bias_cache"
"""Where timm 1.0.31 keeps, in eval mode, what it has looked up in a parameter (levit, efficientformer, ...)."""


class Off(nn.Module):
    """A block that is off: it hands on what it is given first."""

    def forward(self, x: Tensor, *_: Any, **__: Any) -> Tensor:
        return x


def integers_of(network: nn.Module, structure: Structure, shape: Shape, cut: Mapping[str, Tensor]) -> Integers:
    """What the modules of `network` must say in this shape. cut: parameters and buffers that are smaller, by name."""
    found: dict[str, dict[str, Any]] = {}
    for path in dict.fromkeys(name.rpartition(".")[0] for name in cut):
        module = network.get_submodule(path)
        weight = cut.get(f"{path}.weight" if path else "weight", getattr(module, "weight", None))
        if isinstance(weight, Tensor):
            found[path] = _sizes(module, weight)
    for path, kind in shape.kinds.items():
        found.setdefault(path, {})["kind"] = kind
    for path, side in shape.kernels.items():
        found.setdefault(path, {}).update(_sizes_of_kernel(network.get_submodule(path), side))
    for path, width in _heads(network, structure, shape).items():
        module = network.get_submodule(path)
        heads: int = vars(module)["num_heads"]
        scaled = {name: vars(module)[name] * width // heads for name in BY_HEADS if name in vars(module)}
        found.setdefault(path, {}).update(scaled, num_heads=width)
    return found


def _sizes(module: nn.Module, weight: Tensor) -> dict[str, Any]:
    if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
        groups = 1 if module.groups == 1 else weight.shape[0] * module.groups // module.out_channels
        return {"out_channels": weight.shape[0], "in_channels": weight.shape[1] * groups, "groups": groups}
    if isinstance(module, nn.Linear):
        return {"out_features": weight.shape[0], "in_features": weight.shape[1]}
    if "normalized_shape" in vars(module):  # torch's layer norms and timm's
        return {"normalized_shape": tuple(weight.shape)}
    if "num_features" in vars(module):  # batch norms
        return {"num_features": weight.shape[0]}
    if isinstance(module, nn.GroupNorm):
        groups = 1 if module.num_groups == 1 else module.num_groups * weight.shape[0] // module.num_channels
        return {"num_channels": weight.shape[0], "num_groups": groups}
    return {"num_parameters": weight.shape[0]} if isinstance(module, nn.PReLU) else {}


def _sizes_of_kernel(conv: nn.Module, side: int) -> dict[str, Any]:
    """A kernel that is cut around its centre needs as much less padding on each side."""
    assert isinstance(conv, nn.Conv2d)
    found: dict[str, Any] = {"kernel_size": (side, side)}
    if not isinstance(conv.padding, str):
        less = (conv.kernel_size[0] - side) // 2
        found["padding"] = tuple(max(p - less * d, 0) for p, d in zip(conv.padding, conv.dilation, strict=True))
    return found


def _heads(network: nn.Module, structure: Structure, shape: Shape) -> dict[str, int]:
    """By the path of each attention whose heads are the units of a group: the heads left."""
    found = {}
    modules = {path: module for path, module in network.named_modules() if "num_heads" in vars(module)}
    for name, width in shape.widths.items() if modules else ():
        group = structure.by_name[name]
        parts = [member.name.split(".") for member in group.members]
        paths = {".".join(words[:-up]) for words in parts for up in (1, 2, 3) if len(words) > up}
        for path in sorted(paths & modules.keys()):
            if vars(modules[path]).get("num_heads") == group.size:
                found[path] = width
    return found


def forget_copies(network: nn.Module) -> None:
    """Empty timm's copies of parameters, which must follow a change of the parameter."""
    for module in network.modules():
        if hasattr(module, COPIES):
            setattr(module, COPIES, {})


def copied(network: nn.Module) -> nn.Module:
    """A network of its own with the same weights. (timm's copies of parameters, if they are part of a graph of
    gradients, cannot be copied; they are looked up again when they are needed.)"""
    forget_copies(network)
    return copy.deepcopy(network)


class Changes:
    """Attributes of a network's modules as they are for a call, looked up once: its integers, blocks that hand on what
    they get, and copies of parameters that are empty."""

    def __init__(self, network: nn.Module, integers: Integers, off: Iterable[str] = ()) -> None:
        """Raises AttributeError for the path of a module that there is not."""
        values = {path: dict(attributes) for path, attributes in integers.items()}
        for path in off:
            values.setdefault(path, {})["forward"] = Off().forward
        self._values = [(vars(network.get_submodule(path)), given) for path, given in values.items()]
        self._copies = [vars(module) for module in network.modules() if COPIES in vars(module)]

    @contextmanager
    def made(self) -> Iterator[None]:
        """While it lasts, the attributes have these values; afterwards their own again, or none if they had none."""
        before: list[tuple[dict[str, Any], str, Any]] = []
        try:
            for own, given in [*self._values, *((own, {COPIES: {}}) for own in self._copies)]:
                before += [(own, name, own.get(name, _NONE)) for name in given]
                own.update(given)
            yield
        finally:
            for own, name, value in reversed(before):
                if value is _NONE:
                    del own[name]
                else:
                    own[name] = value


_NONE = object()
