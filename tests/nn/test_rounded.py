"""Weights of few bits: rounded in every pass, learned through the rounding, of the parameters of a plain network."""

from __future__ import annotations

import onnx
import pytest
import torch
from torch import nn

from surgenas.hardware.onnx_file import run_unoptimised, to_onnx
from surgenas.hardware.onnx_layers import onnx_layers
from surgenas.nn.depthwise import DepthwiseConv2d
from surgenas.nn.rounded import RoundedConv2d, round_weights, with_rounded_weights


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_rounded_weights_take_as_many_values_as_bits_say_and_keep_the_largest(bits):
    weight = torch.randn(5, 3, 3, 3, generator=torch.Generator().manual_seed(0))
    found = round_weights(weight, bits)
    for one, exact in zip(found, weight, strict=True):
        assert len(one.unique()) <= 2**bits - 1
        assert one.abs().max() == pytest.approx(float(exact.abs().max()))
    assert (found - weight).abs().max() <= weight.abs().max() / (2 ** (bits - 1) - 1) / 2 + 1e-6


def test_a_channel_of_zeros_stays_zero():
    assert round_weights(torch.zeros(2, 3), 4).tolist() == [[0.0] * 3] * 2


def test_a_gradient_passes_as_if_nothing_were_rounded():
    weight = torch.randn(4, 3, requires_grad=True)
    (slope,) = torch.autograd.grad((round_weights(weight, 4) * torch.arange(3.0)).sum(), weight)
    assert slope.tolist() == [[0.0, 1.0, 2.0]] * 4


def test_all_convolutions_of_a_module_are_rounded_and_its_parameters_keep_their_names():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(nn.Conv2d(4, 4, 3, groups=4)), nn.Linear(2, 2))
    names = list(module.state_dict())
    assert with_rounded_weights(module, 4) is module
    assert [type(part) for part in (module[0], module[1][0], module[2])] == [RoundedConv2d, RoundedConv2d, nn.Linear]
    assert list(module.state_dict()) == names
    images = torch.randn(1, 3, 8, 8)
    plain = nn.functional.conv2d(images, round_weights(module[0].weight, 4), module[0].bias)
    assert torch.allclose(module[0](images), plain, atol=1e-6)


def test_a_depthwise_convolution_is_rounded_where_its_gradient_has_a_way_of_its_own():
    module = DepthwiseConv2d.from_conv(nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False))
    exact, images = module.weight.detach().clone(), torch.randn(2, 4, 3, 3)
    rounded = with_rounded_weights(module.train(), 4)
    expected = nn.functional.conv2d(images, round_weights(exact, 4), None, padding=1, groups=4)
    assert torch.allclose(rounded(images), expected, atol=1e-6)


def test_what_is_exported_is_rounded_once_and_for_all():
    module = with_rounded_weights(nn.Sequential(nn.Conv2d(3, 4, 3)), 4).eval()
    images = torch.randn(1, 3, 8, 8)
    with torch.no_grad():
        expected = module(images).numpy()
    model = to_onnx(module, (3, 8, 8))
    assert run_unoptimised(model, images.numpy()) == pytest.approx(expected, abs=1e-5)
    assert [node.op_type for node in onnx.load_from_string(model).graph.node if node.op_type != "Constant"] == ["Conv"]
    assert onnx_layers(model)[0].weights == 4 * 3 * 9
