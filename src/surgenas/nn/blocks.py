"""The operators of mobile spaces, from timm's blocks (MobileNetV2, Sandler et al. 2018)."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from timm.layers import ConvNormAct
from timm.models._efficientnet_blocks import DepthwiseSeparableConv, InvertedResidual
from torch import Tensor, nn

from surgenas.nn.depthwise import DepthwiseConv2d


def mbconv(cin: int, cout: int, *, kernel: int, expand: int, stride: int, affine: bool) -> nn.Module:
    """(N, cin, H, W) -> (N, cout, H/stride, W/stride): expand, kxk depthwise, project; residual where shapes allow."""
    norm = partial(nn.BatchNorm2d, affine=affine)
    common = {"dw_kernel_size": kernel, "stride": stride, "act_layer": nn.ReLU6, "norm_layer": norm}
    if expand == 1:
        block = DepthwiseSeparableConv(cin, cout, **common)
    else:
        block = InvertedResidual(cin, cout, exp_ratio=expand, **common)
    block.conv_dw = DepthwiseConv2d.like(block.conv_dw)
    return block


def conv_bn_relu6(cin: int, cout: int, *, kernel: int, stride: int, affine: bool) -> nn.Module:
    """(N, cin, H, W) -> (N, cout, H/stride, W/stride): convolution, BN, ReLU6."""
    norm = partial(nn.BatchNorm2d, affine=affine)
    return ConvNormAct(cin, cout, kernel, stride, norm_layer=norm, act_layer=nn.ReLU6)


def skip(cin: int, cout: int, *, stride: int, affine: bool) -> nn.Module:
    """Identity where shapes allow it, else the cheapest operator that changes them: a strided 1x1 convolution."""
    if stride == 1 and cin == cout:
        return nn.Identity()
    return conv_bn_relu6(cin, cout, kernel=1, stride=stride, affine=affine)


def shortcut(cin: int, cout: int, *, stride: int) -> nn.Module:
    """A_l of identity mapping regularization (docs/surgenas.md, 3): x, projected and pooled only as shapes demand."""
    if cin != cout:
        return _Projection(cin, cout, stride)
    return nn.MaxPool2d(2, ceil_mode=True) if stride == 2 else nn.Identity()


class _Projection(nn.Module):
    """BN(Conv1x1(x)), of x max-pooled 2x2 if stride is 2. No running statistics: no found network has shortcuts."""

    def __init__(self, cin: int, cout: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Linear(cin, cout, bias=False)  # a 1x1 convolution as a matrix product: faster at these sizes
        self.pool = stride == 2

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return _Project.apply(x_NCHW, self.conv.weight, self.pool)


class _Project(torch.autograd.Function):
    """Holds only what it must: no pooling indices, which are found again, and BN's result in place of its input."""

    WINDOW = ([2, 2], [2, 2], [0, 0], [1, 1], True)  # 2x2, stride 2, no padding, no dilation, rounded up

    @staticmethod
    def forward(ctx: Any, x_NCHW: Tensor, weight_OC: Tensor, pool: bool) -> Tensor:
        p_NHWC = (nn.functional.max_pool2d(x_NCHW, *_Project.WINDOW) if pool else x_NCHW).permute(0, 2, 3, 1)
        z = nn.functional.linear(p_NHWC, weight_OC).permute(0, 3, 1, 2)
        y, _, scale_O = torch.native_batch_norm(z, None, None, None, None, True, 0.0, 1e-5)
        ctx.pool = pool
        ctx.save_for_backward(x_NCHW, p_NHWC, weight_OC, y, scale_O)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Any, ...]:
        x_NCHW, p_NHWC, weight_OC, y, scale_O = ctx.saved_tensors
        g_MO, y_MO = (t.permute(0, 2, 3, 1).flatten(0, 2) for t in (grads[0], y))
        # BN: dz = (g - mean g - y mean(g y)) / deviation
        dz_MO = torch.addcmul(g_MO - g_MO.mean(0), y_MO, (g_MO * y_MO).mean(0), value=-1).mul_(scale_O)
        dp = (dz_MO @ weight_OC).view_as(p_NHWC).permute(0, 3, 1, 2)
        dweight_OC = dz_MO.T @ p_NHWC.flatten(0, 2)
        if not ctx.pool:
            return dp, dweight_OC, None
        _, indices = torch.ops.aten.max_pool2d_with_indices(x_NCHW, *_Project.WINDOW)
        return torch.ops.aten.max_pool2d_with_indices_backward(dp, x_NCHW, *_Project.WINDOW, indices), dweight_OC, None


def classifier(cin: int, width: int, hidden: int, classes: int, *, dropout: float, affine: bool) -> nn.Module:
    """(N, cin, H, W) -> (N, classes): 1x1 convolution to `width`, global average pool, hidden layer if any, linear."""
    layers: list[nn.Module] = [
        conv_bn_relu6(cin, width, kernel=1, stride=1, affine=affine),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    ]
    if hidden:
        layers += [nn.Linear(width, hidden), nn.ReLU6()]
    return nn.Sequential(*layers, nn.Dropout(dropout), nn.Linear(hidden or width, classes))
