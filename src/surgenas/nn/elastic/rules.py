"""Which rule follows which operation of torch? A table of names; what it does not hold has to stay as it is."""

from __future__ import annotations

from torch import Tensor

from surgenas.nn.elastic import layer_rules, plain_rules
from surgenas.nn.elastic.call import Call
from surgenas.nn.elastic.labels import Labels, Weight, nothing
from surgenas.nn.elastic.plain_rules import Answer, Rule

_ELEMENT_BY_ELEMENT = """
    relu relu_ hardtanh hardtanh_ hardswish hardswish_ hardsigmoid hardsigmoid_ sigmoid sigmoid_ silu silu_ gelu gelu_
    tanh tanh_ mish mish_ elu elu_ leaky_relu leaky_relu_ softplus _prelu_kernel exp sqrt rsqrt pow square neg abs erf
    sin cos log reciprocal clamp clamp_ clamp_min clamp_min_ clamp_max clamp_max_ native_dropout bernoulli_ fill_
    masked_fill _to_copy add add_ sub sub_ rsub mul mul_ div div_ addcmul lerp maximum minimum where
"""
_MOVING = """
    permute transpose slice select unbind cat expand squeeze unsqueeze clone lift_fresh roll flip repeat unfold
    index_select pixel_shuffle pixel_unshuffle split_with_sizes
"""
_CHANNEL_BY_CHANNEL = """
    max_pool2d_with_indices avg_pool2d _adaptive_avg_pool2d adaptive_max_pool2d reflection_pad2d replication_pad2d
    upsample_nearest2d upsample_bilinear2d upsample_bicubic2d _upsample_bilinear2d_aa
"""
_NAMES: dict[Rule, str] = {
    plain_rules.combined: _ELEMENT_BY_ELEMENT,
    plain_rules.moved: _MOVING,
    plain_rules.pooled: _CHANNEL_BY_CHANNEL,
    plain_rules.stacked: "stack",
    plain_rules.kept: "detach alias",
    plain_rules.transposed: "t",
    plain_rules.viewed: "view _unsafe_view reshape _reshape_alias",
    plain_rules.shuffled: "channel_shuffle",
    plain_rules.divided: "split unsafe_split chunk unsafe_chunk",
    plain_rules.written: "copy_",
    plain_rules.padded: "constant_pad_nd",
    plain_rules.reduced: "mean sum amax amin max min var var_mean std linalg_vector_norm norm",
    plain_rules.softmax: "_softmax _safe_softmax",
    plain_rules.indexed: "index",
    plain_rules.restrided: "as_strided_",
    layer_rules.convolution: "convolution",
    layer_rules.product: "mm",
    layer_rules.product_with_bias: "addmm",
    layer_rules.batched_product: "bmm",
    layer_rules.batched_product_with_bias: "baddbmm",
    layer_rules.attention: "_scaled_dot_product_flash_attention_for_cpu",
    layer_rules.batch_norm: "native_batch_norm _native_batch_norm_legit_no_training",
    layer_rules.layer_norm: "native_layer_norm",
    layer_rules.group_norm: "native_group_norm",
}
_MAKING = """
    arange zeros ones full empty new_empty new_full new_zeros new_ones zeros_like ones_like empty_like full_like
    scalar_tensor linspace rand randn rand_like randn_like
"""
RULES: dict[str, Rule] = {name: rule for rule, names in _NAMES.items() for name in names.split()}
"""By the name of an operation in `torch.ops.aten`."""
MAKERS = frozenset(_MAKING.split())
"""Operations whose result is nobody's channel, whatever they were given."""


def follow(labels: Labels, call: Call) -> None:
    """Give the outputs of an operation their labels, and join what it combines.

    What is in no table, and what a rule cannot follow, is fixed with the reason: never guessed.
    """
    if call.name in MAKERS or not any(map(labels.knows, call.tensors)):
        return
    try:
        answer = RULES[call.name](labels, call)
        for output, found in zip(call.outputs, _each(answer, len(call.outputs)), strict=True):
            labels.give(output, found)
    except (LookupError, RuntimeError, ValueError, TypeError):
        for tensor in call.tensors:
            labels.fix(labels.of(tensor), f"an operation that is not understood ({call.name})")
        for output in call.outputs:
            labels.give(output, nothing())


def _each(answer: Answer, count: int) -> list[Tensor | Weight]:
    return [answer] * count if isinstance(answer, (Tensor, Weight)) else list(answer)
