"""A network by anybody, with layers that compute the same and train faster, or safely, on a CPU."""

from __future__ import annotations

from torch import nn

from surgenas.nn.depthwise import DepthwiseConv2d
from surgenas.nn.pointwise import PointwiseConv2d, is_strided_pointwise
from surgenas.nn.relu6 import ReLU6


def quicken(network: nn.Module) -> nn.Module:
    """Put our depthwise and strided 1x1 convolutions and our ReLU6 in the places of torch's; return the network. Its
    state_dict stays, and so do the parameters themselves; layers of other classes, and what is made from torch's, are
    left."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Conv2d and _is_depthwise(child):
                setattr(module, name, DepthwiseConv2d.from_conv(child).train(child.training))
            elif type(child) is nn.Conv2d and is_strided_pointwise(child):
                setattr(module, name, PointwiseConv2d.from_conv(child).train(child.training))
            elif type(child) is nn.ReLU6:
                setattr(module, name, ReLU6(child.inplace).train(child.training))
    return network


def _is_depthwise(conv: nn.Conv2d) -> bool:
    """Whether it is what DepthwiseConv2d computes."""
    k, channels = conv.kernel_size[0], conv.in_channels
    alike = conv.kernel_size == (k, k) and conv.stride[0] == conv.stride[1] and conv.dilation == (1, 1)
    plain = conv.bias is None and conv.padding == (k // 2, k // 2) and conv.padding_mode == "zeros"
    return alike and plain and k % 2 == 1 and k > 1 and conv.groups == channels == conv.out_channels > 1
