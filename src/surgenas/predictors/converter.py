"""Which layers does a converter keep that computes with known zeros beforehand, as TFLite does on a Pixel 3?

The rules were read off the latencies in HW-NAS-Bench. "Zero" is an operator that passes nothing on (`none`).

1. The output of a zero operator is known to be zero, and so is an identity of a tensor that is known to be zero: both
   are removed. A convolution or a pooling of zeros is not known to be zero: it is computed.
2. Where a tensor is the output of a single convolution, not a sum, and all layers that read it are zero operators, the
   converter multiplies the convolution's weights by zero for the first of these layers: that layer is then a
   convolution, which is computed, and whose output is not known to be zero.
3. A layer is removed if no path of layers that are not known to be zero leads from it to the result. If the result does
   not depend on the input at all, everything is removed.

For one-hot gates the answers are 0 or 1. Gates in between are taken for probabilities, and the answers are chances, as
in `messages`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from surgenas.core.space import CostTable, Floats


@dataclass(frozen=True)
class _Known:
    """What the converter knows of one tensor of the graph, as chances (N,) for N networks.

    zero: it is known to be zero. single: it is the output of one convolution, not a sum. depends: it depends on the
    input.
    """

    zero: Tensor
    single: Tensor
    depends: Tensor


def find_kept_layers(costs: CostTable, gates_NLK: Tensor, *, folds: bool = True) -> tuple[Tensor, Tensor]:
    """(counts, adds), the chances (N, L) that the converter keeps a layer's sum, and that the layer adds to that sum.

    A layer is kept if both are 1. gates_NLK: (N, L, K). The space must have an operator that passes nothing on
    (`CostTable.nothing`). folds: whether it follows the second rule; else a zero is a zero, whatever it reads.
    """
    edges, last = costs.edges, max(target for _, target in costs.edges)
    passes_NL = 1 - gates_NLK[:, :, list(costs.nothing)].sum(2)
    computes_NL, convolves_NL = _share(gates_NLK, costs.moved_bytes), _share(gates_NLK, costs.params)
    no, yes = torch.zeros_like(passes_NL[:, 0]), torch.ones_like(passes_NL[:, 0])
    tensors = {0: _Known(zero=no, single=no, depends=yes)}
    adds, leads = {}, {}  # to its sum; from its input to its sum
    for node in range(1, last + 1):
        into = {e: source for e, (source, target) in enumerate(edges) if target == node}
        convolved = {}
        for e, source in into.items():
            read, readers = tensors[source], [o for o, (s, _) in enumerate(edges) if s == source]
            is_first = node == min(edges[o][1] for o in readers)
            folded = read.single * (1 - chance_of_any(passes_NL[:, o] for o in readers)) if folds and is_first else no
            identity = passes_NL[:, e] - computes_NL[:, e]
            adds[e] = computes_NL[:, e] + identity * (1 - read.zero) + folded
            convolved[e] = convolves_NL[:, e] + identity * read.single + folded
            leads[e] = passes_NL[:, e] + folded
        others = {e: chance_of_any([no, *(adds[o] for o in into if o != e)]) for e in into}
        tensors[node] = _Known(
            zero=1 - chance_of_any(adds[e] for e in into),
            single=torch.stack([convolved[e] * (1 - others[e]) for e in into]).sum(0),
            depends=chance_of_any(leads[e] * tensors[source].depends for e, source in into.items()),
        )
    counts = {last: tensors[last].depends}
    for node in range(last - 1, 0, -1):
        counts[node] = chance_of_any(
            leads[e] * counts[target] for e, (source, target) in enumerate(edges) if source == node
        )
    return torch.stack([counts[t] for _, t in edges], 1), torch.stack([adds[e] for e in range(len(edges))], 1)


def chance_of_any(chances: Iterable[Tensor]) -> Tensor:
    """The chance that one of several independent events happens, 1 - prod (1 - p); all p have one shape."""
    return 1 - torch.stack([1 - p for p in chances]).prod(0)


def _share(gates_NLK: Tensor, values_LK: Floats) -> Tensor:
    """The chance (N, L) that the operator of a layer has a cost above 0 in the table (L, K)."""
    return (gates_NLK * torch.as_tensor(values_LK > 0, dtype=gates_NLK.dtype)).sum(2)
