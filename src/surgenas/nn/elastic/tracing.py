"""What of a given network can be smaller? One forward pass on an example tells, whatever code the network runs.

The pass is watched operation by operation (`torch.utils._python_dispatch.TorchDispatchMode`), so a network's code is
neither parsed nor rewritten, and branches that it does not take do not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from surgenas.core.errors import UsageError
from surgenas.nn.elastic.call import call_of
from surgenas.nn.elastic.grouping import grouped
from surgenas.nn.elastic.integers import copied
from surgenas.nn.elastic.labels import Labels
from surgenas.nn.elastic.rules import follow
from surgenas.nn.elastic.structure import Structure
from surgenas.nn.elastic.sums import Sums


def trace(network: nn.Module, example: Tensor, multiple: int = 8) -> Structure:
    """What of `network` can be smaller, as seen in one pass on `example`, images (N, C, ...) of any values.

    multiple: channels are kept in multiples of it, as far as their units allow; many runtimes want 8. The pass runs in
    eval mode on a copy, on the CPU: the network stays as it is. `checked` tries what this says.
    Raises UsageError if the network does not run on the example.
    """
    if not isinstance(example, Tensor) or example.ndim < 2 or not example.is_floating_point():
        raise UsageError("the example must be a tensor of floating-point images, such as torch.randn(1, 3, 224, 224)")
    if multiple < 1:
        raise UsageError(f"channels cannot be kept in multiples of {multiple}; expected 1 or more, such as 8")
    try:
        network = copied(network).cpu().eval()
        labels, sums = Labels(network), Sums()
        example = example.detach().cpu().clone()
        labels.number_input(example)
        with torch.no_grad(), _watched(network, labels, sums) as residual, _Watch(labels, sums):
            output = network(example)
    except Exception as error:
        raise not_running(network, example, error) from error
    for tensor in tree_flatten(output)[0]:
        if isinstance(tensor, Tensor):
            labels.fix(labels.of(tensor), "channels of the output")
    return grouped(network, labels, residual, multiple)


def not_running(network: nn.Module, example: Tensor, error: Exception) -> UsageError:
    """What to tell a user whose network cannot be run on the example, or not be copied."""
    why = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return UsageError(
        f"{type(network).__name__} does not run on an example of shape {tuple(example.shape)} ({why}); expected images "
        "that it can take, and a network that can be copied"
    )


class _Watch(TorchDispatchMode):
    """Hands every operation that runs to `follow` and to the sums."""

    def __init__(self, labels: Labels, sums: Sums) -> None:
        super().__init__()
        self.labels, self.sums = labels, sums

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        returned = func(*args, **(kwargs or {}))
        call = call_of(func, args, kwargs or {}, returned)
        if call.outputs and call.tensors:
            follow(self.labels, call)
            self.sums.follow(call)
        return returned


@contextmanager
def _watched(network: nn.Module, labels: Labels, sums: Sums) -> Iterator[list[str]]:
    """Tells the labels which module runs. Yields a list that fills with the modules that add to their input."""
    residual: list[str] = []
    running: list[str] = []
    entered: list[tuple[int, torch.Size] | None] = []

    def before(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, args: tuple[Any, ...]) -> None:
            running.append(name)
            labels.place = name
            first = args[0] if args else None
            entered.append((sums.number(first), first.shape) if isinstance(first, Tensor) else None)

        return hook

    def after(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, _args: tuple[Any, ...], out: Any) -> None:
            running.pop()
            labels.place = running[-1] if running else ""
            given = entered.pop()
            has_weights = any(True for _ in module.parameters())
            if given and isinstance(out, Tensor) and has_weights and name not in residual:
                number, shape = given
                if out.shape == shape and sums.has_term(out, number):
                    residual.append(name)

        return hook

    with ExitStack() as hooks:
        for name, module in network.named_modules():
            hooks.callback(module.register_forward_pre_hook(before(name)).remove)
            hooks.callback(module.register_forward_hook(after(name)).remove)
        yield residual
