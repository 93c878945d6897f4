"""What a converter that folds zeros keeps of a network; read off the latencies of HW-NAS-Bench's Pixel 3 (TFLite).

1. Nothing, and an identity of what is known to be zero, is known to be zero and gone. A convolution or a pooling of
   zeros is not known to be zero: it is computed.
2. Nothing of a tensor that is one convolution, no sum, and that all readers take nothing of, is the convolution
   with its weights multiplied by zero, for the first of them: computed, and not known to be zero either.
3. What does not add to the result, through whatever is not known to be zero, is gone; and all is, if the result does
   not depend on the input.

Exact where the gates are one-hot; in between, chances as in `messages`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from surgenas.core.space import CostTable, Floats


@dataclass(frozen=True)
class _Known:
    """Chances, each (N,): a tensor is known to be zero; is one convolution, not a sum; depends on the input."""

    zero: Tensor
    single: Tensor
    depends: Tensor


def find_kept_layers(costs: CostTable, gates_NLK: Tensor) -> tuple[Tensor, Tensor]:
    """Does a layer's sum count for the result; does the layer add anything to it? Chances, each (N, L), for spaces with
    an operator that passes nothing on."""
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
            folded = read.single * (1 - chance_of_any(passes_NL[:, o] for o in readers)) if is_first else no
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
    """The chance that one of independent events comes true: 1 - prod (1 - p)."""
    return 1 - torch.stack([1 - p for p in chances]).prod(0)


def _share(gates_NLK: Tensor, values_LK: Floats) -> Tensor:
    """The chance that a layer's operator has such a cost at all, (N, L)."""
    return (gates_NLK * torch.as_tensor(values_LK > 0, dtype=gates_NLK.dtype)).sum(2)
