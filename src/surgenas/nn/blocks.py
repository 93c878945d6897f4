"""The operators of mobile spaces, from timm's blocks (MobileNetV2, Sandler et al. 2018)."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from timm.layers import ConvNormAct
from timm.models._efficientnet_blocks import DepthwiseSeparableConv, InvertedResidual, SqueezeExcite
from torch import Tensor, nn

from surgenas.nn.depthwise import DepthwiseConv2d
from surgenas.nn.pointwise import PointwiseConv2d
from surgenas.nn.relu6 import ReLU6
from surgenas.nn.synchronised import is_synchronised

Act = type[nn.Module]


def mbconv(
    cin: int,
    cout: int,
    *,
    kernel: int,
    expand: int,
    stride: int,
    affine: bool,
    act: Act = ReLU6,
    squeeze: int = 0,
    residual: bool = True,
) -> nn.Module:
    """MobileNetV2's inverted residual block: 1x1 expansion, kxk depthwise, 1x1 projection, residual where shapes allow.

    (N, cin, H, W) -> (N, cout, H/stride, W/stride). affine: whether normalizations have scale and shift. squeeze: to
    how many channels Squeeze-and-Excitation behind the depthwise convolution reduces; 0 leaves it out.
    """
    norm = partial(nn.BatchNorm2d, affine=affine)
    common = {"dw_kernel_size": kernel, "stride": stride, "act_layer": act, "norm_layer": norm, "noskip": not residual}
    if squeeze:
        common["se_layer"] = partial(SqueezeExcite, rd_channels=squeeze)
    if expand == 1:
        block = DepthwiseSeparableConv(cin, cout, **common)
    else:
        block = InvertedResidual(cin, cout, exp_ratio=expand, **common)
    block.conv_dw = DepthwiseConv2d.from_conv(block.conv_dw)
    return block


def conv_bn_act(cin: int, cout: int, *, kernel: int, stride: int, affine: bool, act: Act = ReLU6) -> nn.Module:
    """Convolution, BN and activation: (N, cin, H, W) -> (N, cout, H/stride, W/stride)."""
    norm = partial(nn.BatchNorm2d, affine=affine)
    return ConvNormAct(cin, cout, kernel, stride, norm_layer=norm, act_layer=act)


def skip(cin: int, cout: int, *, stride: int, affine: bool) -> nn.Module:
    """The operator of a skipped layer: (N, cin, H, W) -> (N, cout, H/stride, W/stride).

    It is the identity where that shape is the same, else a strided 1x1 convolution, the cheapest operator that
    changes it.
    """
    if stride == 1 and cin == cout:
        return nn.Identity()
    block: Any = conv_bn_act(cin, cout, kernel=1, stride=stride, affine=affine)
    block.conv = PointwiseConv2d.from_conv(block.conv)
    return block


def shortcut(cin: int, cout: int, *, stride: int) -> nn.Module:
    """The A of identity mapping regularization (docs/methods/surgenas.md, 3), projected and pooled only as needed.

    (N, cin, H, W) -> (N, cout, H/stride, W/stride).
    """
    if cin != cout:
        return _Projection(cin, cout, stride)
    return nn.MaxPool2d(2, ceil_mode=True) if stride == 2 else nn.Identity()


class _Projection(nn.Module):
    """BN(Conv1x1(x)), with x max-pooled 2x2 before if the stride is 2.

    BN has no running statistics, since no found network has shortcuts.
    """

    def __init__(self, cin: int, cout: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Linear(cin, cout, bias=False)  # a 1x1 convolution as a matrix product: faster at these sizes
        self.pool = stride == 2

    def forward(self, x_NCHW: Tensor) -> Tensor:
        if not is_synchronised():
            return _Project.apply(x_NCHW, self.conv.weight, self.pool)
        p = nn.functional.max_pool2d(x_NCHW, 2, ceil_mode=True) if self.pool else x_NCHW
        z = self.conv(p.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return nn.functional.batch_norm(z, None, None, training=True)


class _Project(torch.autograd.Function):
    """The computation of `_Projection`, keeping little for the backward pass.

    Pooling indices are kept in two bytes where that suffices, and BN's result in place of its input.
    """

    WINDOW = ([2, 2], [2, 2], [0, 0], [1, 1], True)  # 2x2, stride 2, no padding, no dilation, rounded up

    @staticmethod
    def forward(ctx: Any, x_NCHW: Tensor, weight_OC: Tensor, pool: bool) -> Tensor:
        p, indices = x_NCHW, None
        if pool:
            p, indices = torch.ops.aten.max_pool2d_with_indices(x_NCHW, *_Project.WINDOW)
            indices = indices.to(torch.int16 if x_NCHW[0, 0].numel() < 2**15 else torch.int32)
        z = nn.functional.linear(p.permute(0, 2, 3, 1), weight_OC).permute(0, 3, 1, 2)
        y, _, scale_O = torch.native_batch_norm(z, None, None, None, None, True, 0.0, 1e-5)
        ctx.save_for_backward(x_NCHW, p, indices, weight_OC, y, scale_O)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Any, ...]:
        x_NCHW, p, indices, weight_OC, y, scale_O = ctx.saved_tensors
        # BN of y, whose mean is 0 and deviation 1, is y: so y can stand for z, up to the scale between them
        mean_O, one_O = torch.zeros_like(scale_O), torch.ones_like(scale_O)
        dz, *_ = torch.ops.aten.native_batch_norm_backward(
            grads[0], y, None, None, None, mean_O, one_O, True, 0.0, [True, False, False]
        )
        dz_MO, p_MC = (t.permute(0, 2, 3, 1).flatten(0, 2) for t in (dz, p))
        dp = (dz_MO @ (weight_OC * scale_O[:, None])).view(*dz.shape[:1], *p.shape[2:], -1).permute(0, 3, 1, 2)
        dweight_OC = (p_MC.T @ dz_MO).T * scale_O[:, None]
        if indices is None:
            return dp, dweight_OC, None
        dx = torch.ops.aten.max_pool2d_with_indices_backward(dp, x_NCHW, *_Project.WINDOW, indices.long())
        return dx, dweight_OC, None


def classifier(
    cin: int, width: int, hidden: int, classes: int, *, dropout: float, affine: bool, act: Act = ReLU6
) -> nn.Module:
    """The head of a network: (N, cin, H, W) -> (N, classes).

    A 1x1 convolution to `width` channels, global average pooling, a hidden layer of `hidden` units unless that is 0,
    dropout, and a linear layer.
    """
    layers: list[nn.Module] = [
        conv_bn_act(cin, width, kernel=1, stride=1, affine=affine, act=act),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    ]
    if hidden:
        layers += [nn.Linear(width, hidden), act()]
    return nn.Sequential(*layers, nn.Dropout(dropout), nn.Linear(hidden or width, classes))
