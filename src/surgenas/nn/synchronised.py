"""What in a network is not by image: batch normalization by the statistics of a whole batch, of which each of several
processes has a part, and chance, drawn for the whole batch.

torch's SyncBatchNorm works on GPUs alone, and for modules; this does so on any device, wherever a network calls
`torch.nn.functional.batch_norm`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from surgenas.nn.ranks import Ranks

_ACTIVE: ContextVar[bool] = ContextVar("synchronised", default=False)


@contextmanager
def synchronised(ranks: Ranks) -> Iterator[None]:
    """Inside the block, batch normalization in training mode takes its statistics over the batches of all processes,
    which must all compute the same layers, and dropout, stochastic depth and noise draw the same for an image as one
    process would. With one process nothing is changed. ranks: what this process has of the batch."""
    if ranks.count == 1:
        yield
        return
    token = _ACTIVE.set(True)
    try:
        with _Synchronised(ranks):
            yield
    finally:
        _ACTIVE.reset(token)


def is_synchronised() -> bool:
    """Whether this is inside `synchronised`, with several processes."""
    return _ACTIVE.get()


class _Synchronised(TorchFunctionMode):
    """Takes the place of what is not by image."""

    def __init__(self, ranks: Ranks) -> None:
        super().__init__()
        self.ranks = ranks

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        instead = INSTEAD.get(func)
        if instead:
            return instead(self.ranks, *args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


# What has a row for each image of this process is drawn for the whole batch; the rest is the same in all processes,
# whose random streams are.


def _dropout(ranks: Ranks, input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """The arguments from the second on are those of F.dropout."""
    if not training:
        return input
    if len(input) != ranks.own:
        return F.dropout(input, p, True, inplace)
    return input * ranks.slice(F.dropout(_whole(ranks, input).fill_(1), p, True))


def _bernoulli(ranks: Ranks, input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """The arguments from the second on are those of Tensor.bernoulli_."""
    if len(input) != ranks.own:
        return input.bernoulli_(*args, **kwargs)
    return input.copy_(ranks.slice(_whole(ranks, input).bernoulli_(*args, **kwargs)))


def _randn_like(ranks: Ranks, input: Tensor, **kwargs: Any) -> Tensor:
    """The arguments from the second on are those of torch.randn_like."""
    if len(input) != ranks.own:
        return torch.randn_like(input, **kwargs)
    return ranks.slice(torch.randn_like(_whole(ranks, input), **kwargs))


def _whole(ranks: Ranks, own: Tensor) -> Tensor:
    """Room for what the whole batch has where `own` is of this process's images; in the same order in memory, in which
    random numbers are drawn."""
    shape = (ranks.images, *own.shape[1:])
    last = own.ndim == 4 and own.is_contiguous(memory_format=torch.channels_last)
    order = torch.channels_last if last else torch.contiguous_format
    return torch.empty(shape, dtype=own.dtype, device=own.device, memory_format=order)


def _batch_norm(
    ranks: Ranks, input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None,
    bias: Tensor | None = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """The arguments from the second on are those of F.batch_norm."""
    if not training:
        return F.batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    found, mean_C, var_C, count = _Normalise.apply(input, weight, bias, eps)
    if running_mean is not None and running_var is not None:
        with torch.no_grad():
            running_mean.lerp_(mean_C.to(running_mean), momentum)
            running_var.lerp_(var_C.to(running_var) * (count / (count - 1)), momentum)
    normalised: Tensor = found
    return normalised


class _Normalise(torch.autograd.Function):
    """(x - mean) / sqrt(variance + eps) * weight + bias, with gradients through the statistics of all processes.

    torch's own kernels find statistics and sums of the own images; what is left is a line in each channel.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight_C: Tensor | None, bias_C: Tensor | None, eps: float
    ) -> tuple[Tensor, Tensor, Tensor, float]:
        own, own_mean_C, own_scale_C = torch.native_batch_norm(x, None, None, None, None, True, 0.0, eps)
        mean_C, var_C, count = _of_all(own_mean_C, own_scale_C.double().pow(-2) - eps, x.numel() / x.shape[1])
        scale_C = (var_C + eps).rsqrt()
        slope_C, shift_C = scale_C / own_scale_C, (own_mean_C - mean_C) * scale_C
        if weight_C is not None:
            slope_C, shift_C = slope_C * weight_C, shift_C * weight_C
        if bias_C is not None:
            shift_C = shift_C + bias_C
        ctx.save_for_backward(x, weight_C, mean_C, var_C)
        ctx.count, ctx.eps = count, eps
        mean_C, var_C = mean_C.to(x), var_C.to(x)
        ctx.mark_non_differentiable(mean_C, var_C)
        ctx.set_materialize_grads(False)
        return _line(own, slope_C, shift_C), mean_C, var_C, count

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Any, ...]:
        dy, (x, weight_C, mean_C, var_C) = grads[0], ctx.saved_tensors
        _, dweight_C, dbias_C = torch.ops.aten.native_batch_norm_backward(
            dy, x, weight_C, mean_C.to(x), var_C.to(x), None, None, False, ctx.eps, [False, True, True]
        )
        sums_2C = torch.stack([dbias_C, dweight_C]).double()
        dist.all_reduce(sums_2C)
        dbias_of_all, dweight_of_all = sums_2C / ctx.count
        scale_C = (var_C + ctx.eps).rsqrt()
        slope_C = scale_C if weight_C is None else scale_C * weight_C
        # dx = slope (dy - mean of dy - y mean of y dy), and y = (x - mean) scale
        of_x_C = -slope_C * scale_C * dweight_of_all
        dx = _line(x, of_x_C, -slope_C * dbias_of_all - of_x_C * mean_C).addcmul_(dy, _by_channel(slope_C, dy))
        return dx, dweight_C if ctx.needs_input_grad[1] else None, dbias_C if ctx.needs_input_grad[2] else None, None


def _of_all(mean_C: Tensor, var_C: Tensor, own: float) -> tuple[Tensor, Tensor, float]:
    """(mean, variance, number of values) over all processes, from those of the own images, in double precision.

    Means and variances are put together, not sums of squares, which would lose what they have in common."""
    row = torch.cat([mean_C.double(), var_C, var_C.new_tensor([own])])
    rows = [torch.empty_like(row) for _ in range(dist.get_world_size())]
    dist.all_gather(rows, row)
    of_each = torch.stack(rows)
    means_RC, vars_RC = of_each[:, :-1].chunk(2, 1)
    share_R1 = of_each[:, -1:] / of_each[:, -1].sum()
    mean = (share_R1 * means_RC).sum(0)
    return mean, (share_R1 * (vars_RC + (means_RC - mean).square())).sum(0), float(of_each[:, -1].sum())


def _by_channel(values_C: Tensor, like: Tensor) -> Tensor:
    return values_C.to(like).view(1, -1, *[1] * (like.ndim - 2))


def _line(x: Tensor, slope_C: Tensor, shift_C: Tensor) -> Tensor:
    return torch.addcmul(_by_channel(shift_C, x), x, _by_channel(slope_C, x))


INSTEAD: Mapping[Any, Callable[..., Any]] = {
    F.batch_norm: _batch_norm, F.dropout: _dropout, torch.Tensor.bernoulli_: _bernoulli, torch.randn_like: _randn_like,
}  # fmt: skip
"""By torch's function, what is called in its place."""
