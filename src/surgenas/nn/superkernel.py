"""Superkernels: all operators of a layer in the weights of its largest one, chosen by masks (Single-Path NAS,
arXiv 1904.02877, section 3; searchable Squeeze-and-Excitation: arXiv 1907.00959; docs/methods/single_path.md, 2).

A layer decides, in this order: kernel 5 rather than 3, not skipped, expansion 6 rather than 3, and with searchable
Squeeze-and-Excitation: at all, and at ratio .5 rather than .25. A decision is a number, 0 or 1 where it is hard.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from timm.models._efficientnet_blocks import InvertedResidual, SqueezeExcite
from torch import Tensor, nn

from surgenas.nn.chain import ChainNetwork
from surgenas.nn.sharing import Sharing

K5, E3, E6, SE25, SE50 = range(5)
"""Where each decision stands in a row of D decisions."""


@dataclass(frozen=True)
class Rule:
    """How a decision follows from the norm of what it switches on: g(norm - t), 1 where that is not negative.

    normalised: norms are divided by those of the fresh network. squared: norms are squared, as the paper writes them.
    temperature: that of the sigmoid whose gradient is taken. soft: the decision is the sigmoid itself.
    """

    normalised: bool = True
    squared: bool = False
    temperature: float = 0.25
    soft: bool = False

    def decide(self, square: Tensor, start: Tensor, threshold: Tensor) -> Tensor:
        """The decision g of docs/methods/single_path.md, 2: hard forwards, the sigmoid's derivative backwards.

        square, start: the squared norm now and in the fresh network; any shape, which is the result's."""
        x = self._size(square / start if self.normalised else square) - threshold
        soft = torch.sigmoid(x / self.temperature)
        return soft if self.soft else (x >= 0).to(soft) - soft.detach() + soft

    def _size(self, square: Tensor) -> Tensor:
        return square if self.squared else square.clamp_min(1e-24).sqrt()


class Superkernel(nn.Module):
    """One layer whose operators are parts of one MBConv's weights, chosen by decisions.

    block: an MBConv of the largest kernel and expansion, its BN without scale and shift. skippable: the layer may be
    left out. inner, first, first_rows: masks of what is there whatever is decided, in the kernel (k, k), among its
    channels (C,), and among the rows of SE's reduction (R,).
    """

    inner: Tensor
    first: Tensor
    first_rows: Tensor

    def __init__(self, block: InvertedResidual, *, skippable: bool) -> None:
        super().__init__()
        self.block, self.skippable = block, skippable
        self.searches_se = isinstance(block.se, SqueezeExcite)
        inner = torch.zeros(block.conv_dw.kernel_size, dtype=torch.bool)
        inner[1:-1, 1:-1] = True
        self.register_buffer("inner", inner, persistent=False)
        self.register_buffer("first", _first_half(block.conv_dw.out_channels), persistent=False)
        if self.searches_se:
            self.register_buffer("first_rows", _first_half(block.se.conv_reduce.out_channels), persistent=False)

    def squares(self) -> Tensor:
        """Squared norms of the kernel's centre, its ring, and if searched SE's reduction, by halves of the channels.

        (P, 2), P being 2, or 3 with searchable Squeeze-and-Excitation.
        """
        kernel_2kk = self.block.conv_dw.weight.square().unflatten(0, (2, -1)).sum((1, 2))
        centre_2 = kernel_2kk[:, 1:-1, 1:-1].sum((1, 2))
        found = [centre_2, kernel_2kk.sum((1, 2)) - centre_2]
        if self.searches_se:
            found.append(self.block.se.conv_reduce.weight.square().unflatten(0, (2, -1)).sum((1, 2, 3, 4)))
        return torch.stack(found)

    def forward(self, x_NCHW: Tensor, d_D: Tensor, *, at_kernel: bool = False) -> Tensor:
        """(N, C, H, W) -> (N, C', H/stride, W/stride), with the decisions d_D; a part that is off adds exactly nothing.

        The authors mask the depthwise kernel (at_kernel). Behind it comes a normalisation, which makes the loss blind
        to a factor on a channel: such a mask has no gradient while it is on. By default expansion and skip are the
        scales of the normalisations instead, which costs nothing either.
        """
        block, (d5, d3e, d6e, *d_se) = self.block, d_D.unbind()
        if not self.training and not d_D.requires_grad and self.skippable and float(d3e) == 0:
            return x_NCHW
        h = block.bn1(block.conv_pw(x_NCHW))
        kernel = block.conv_dw.weight * torch.where(self.inner, 1.0, d5)  # K' = K.centre + d5 K.ring
        channels = torch.where(self.first, 1.0, d6e)
        if at_kernel and self.training:
            kernel = kernel * (d3e * channels)[:, None, None, None]
            h = block.bn2(block.conv_dw.convolve_with(kernel, h))
        else:
            h = _norm(block.bn2, block.conv_dw.convolve_with(kernel, h), channels)
        if d_se:
            h = h * self._excite(h, *d_se)
        h = block.conv_pwl(h)
        if self.skippable and not (at_kernel and self.training):
            h = _norm(block.bn3, h, d3e.expand(block.conv_pwl.out_channels))
        else:
            h = block.bn3(h)
        return h + x_NCHW if block.has_skip else h

    def _excite(self, h_NCHW: Tensor, d25: Tensor, d50: Tensor) -> Tensor:
        """(N, C, 1, 1): 1 + d25 (SE(h) - 1), so that without SE nothing is scaled."""
        se, rows_R11 = self.block.se, torch.where(self.first_rows, 1.0, d50)[:, None, None]
        reduced = se.act1(se.conv_reduce(h_NCHW.mean((2, 3), keepdim=True)) * rows_R11)
        return 1 + d25 * (se.gate(se.conv_expand(reduced)) - 1)


class SuperkernelSupernet(nn.Module):
    """A supernet that is one network, that of the largest operators: stem, L superkernels, head.

    hard: (K, D), the decisions that make each operator, NaN where a decision does not matter. start: (L, D), the
    squared norms in the fresh network of what the decisions switch on. skippable: (L,).
    """

    shares: ClassVar[Sharing] = "superkernel"
    hard: Tensor
    start: Tensor
    skippable: Tensor

    def __init__(self, stem: nn.Module, layers: Sequence[Superkernel], head: nn.Module, hard: Tensor) -> None:
        super().__init__()
        self.stem, self.layers, self.head = stem, nn.ModuleList(layers), head
        self.register_buffer("hard", hard)
        self.register_buffer("skippable", torch.tensor([layer.skippable for layer in layers]))
        with torch.no_grad():
            self.register_buffer("start", torch.cat([_ring(self.squares()), _rest(self.squares(), 1.0)], 1))

    def squares(self) -> Tensor:
        """The `Superkernel.squares` of all layers, (L, P, 2)."""
        return torch.stack([layer.squares() for layer in self.layers])  # type: ignore[operator]

    def decide(self, thresholds_LD: Tensor, rule: Rule) -> Tensor:
        """The decisions (L, D) that follow from the weights and the thresholds; a gradient reaches both."""
        squares_LP2, start_LD, t_LD = self.squares(), self.start, thresholds_LD
        k5_L1 = rule.decide(_ring(squares_LP2), start_LD[:, :E3], t_LD[:, :E3])
        rest = rule.decide(_rest(squares_LP2, k5_L1.square()), start_LD[:, E3:], t_LD[:, E3:])
        e3_L1 = torch.where(self.skippable[:, None], rest[:, :1], 1.0)
        return torch.cat([k5_L1, e3_L1, rest[:, 1:]], 1)

    def forward(self, x_NCHW: Tensor, decisions_LD: Tensor, *, at_kernel: bool = False) -> Tensor:
        """(N, C, H, W) -> (N, classes). at_kernel: mask the depthwise kernels, as of `Superkernel.forward`."""
        h = self.stem(x_NCHW)
        for layer, d_D in zip(self.layers, decisions_LD.unbind(), strict=True):
            h = layer(h, d_D, at_kernel=at_kernel)
        return self.head(h)

    def at(self, x_NCHW: Tensor, path: Sequence[int]) -> Tensor:
        """Run the operators at the positions `path`, one a layer: (N, C, H, W) -> (N, classes)."""
        return self(x_NCHW, self.hard[list(path)].nan_to_num(0.0))

    def gates(self, decisions_LD: Tensor) -> Tensor:
        """The share of each operator in each layer, (L, K): the exact mixture (docs/methods/single_path.md, 5).

        u_k is the product over decisions of d where operator k has it and of 1 - d where it has not. It is bilinear in
        the decisions, and one-hot where they are hard. Skip has no share in a layer that may not be skipped.
        """
        d_LKD, hard_KD = decisions_LD[:, None, :], self.hard.to(decisions_LD)
        matters = ~hard_KD.isnan()
        hard_KD = hard_KD.nan_to_num(0.0)
        factors = torch.where(matters, hard_KD * d_LKD + (1 - hard_KD) * (1 - d_LKD), torch.ones_like(d_LKD))
        return factors.prod(2)

    def cut(self, path: Sequence[int], network: ChainNetwork) -> ChainNetwork:
        """Copy the weights of one path into a network that the space built, and return it.

        Of each tensor the first channels are taken, of a kernel its centre.
        """
        network.stem.load_state_dict(self.stem.state_dict(), strict=False)
        network.head.load_state_dict(self.head.state_dict(), strict=False)
        for mine, layer in zip(network.layers, self.layers, strict=True):
            whole = layer.block.state_dict()  # type: ignore[union-attr]
            wanted = {name: _part(whole[name], t) for name, t in mine.state_dict().items() if name in whole}
            mine.load_state_dict(wanted, strict=False)
        return network


def _ring(squares_LP2: Tensor) -> Tensor:
    """(L, 1): the squared norms of what the decision for kernel 5 switches on."""
    return squares_LP2[:, 1].sum(1, keepdim=True)


def _rest(squares_LP2: Tensor, ring: Tensor | float) -> Tensor:
    """(L, D - 1): the squared norms of what the other decisions switch on. ring: the share of the ring that counts."""
    centre_L2, ring_L2, *excite = squares_LP2.unbind(1)
    return torch.cat([centre_L2 + ring * ring_L2, *excite], 1)


def _first_half(channels: int) -> Tensor:
    return torch.arange(channels) < channels // 2


def _norm(bn: nn.BatchNorm2d, h_NCHW: Tensor, scale_C: Tensor) -> Tensor:
    """timm's BN and activation with a scale of its own."""
    scale_C = scale_C.contiguous()  # torch 2.14 reads past the end of an expanded one
    h = nn.functional.batch_norm(
        h_NCHW, bn.running_mean, bn.running_var, scale_C, None, bn.training, bn.momentum or 0.1, bn.eps
    )
    return bn.act(h)  # type: ignore[operator]


def _part(whole: Tensor, like: Tensor) -> Tensor:
    if whole.dim() < 4:
        return whole[tuple(slice(n) for n in like.shape)]
    border = [(w - n) // 2 for w, n in zip(whole.shape[2:], like.shape[2:], strict=True)]
    inner = tuple(slice(b, b + n) for b, n in zip(border, like.shape[2:], strict=True))
    return whole[(slice(like.shape[0]), slice(like.shape[1]), *inner)]


def hard_decisions(kernel: int, expand: int, squeeze: float, *, searchable: bool) -> tuple[float, ...]:
    """The decisions that make an operator of kernel 3 or 5, expansion 3 or 6, and SE at ratio 0 (none), .25 or .5.

    searchable: whether Squeeze-and-Excitation is decided as well: five decisions instead of three.
    """
    found = (float(kernel == 5), 1.0, float(expand == 6))
    if not searchable:
        return found
    return (*found, float(squeeze > 0), float(squeeze > 0.25) if squeeze else math.nan)
