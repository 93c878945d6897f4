"""The operators of mobile spaces, from timm's blocks (MobileNetV2, Sandler et al. 2018)."""

from __future__ import annotations

from functools import partial

from timm.layers import ConvNormAct
from timm.models._efficientnet_blocks import DepthwiseSeparableConv, InvertedResidual
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


def mbconv(cin: int, cout: int, *, kernel: int, expand: int, stride: int, affine: bool) -> nn.Module:
    """(N, cin, H, W) -> (N, cout, H/stride, W/stride): expand, kxk depthwise, project; residual where shapes allow."""
    norm = partial(nn.BatchNorm2d, affine=affine)
    common = {"dw_kernel_size": kernel, "stride": stride, "act_layer": nn.ReLU6, "norm_layer": norm}
    if expand == 1:
        return DepthwiseSeparableConv(cin, cout, **common)
    return InvertedResidual(cin, cout, exp_ratio=expand, **common)


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
    parts: list[nn.Module] = []
    if stride == 2:
        parts.append(nn.MaxPool2d(2, ceil_mode=True))
    if cin != cout:
        # no running statistics: no found network has shortcuts, so none is ever evaluated
        norm = nn.BatchNorm2d(cout, affine=False, track_running_stats=False)
        parts += [nn.Conv2d(cin, cout, 1, bias=False), norm]
    return _Recomputed(*parts) if parts else nn.Identity()


class _Recomputed(nn.Sequential):
    """Runs again in the backward pass and so holds nothing for it: the layer's operator holds the same input anyway."""

    def forward(self, x_NCHW: Tensor) -> Tensor:
        run = super().forward
        return checkpoint(run, x_NCHW, use_reentrant=False, preserve_rng_state=False)


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
