"""What do layers cost that hang on two neighbouring choices? A layer is as dear as the one before it is wide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Pairs:
    """Costs of L rows, each the sum of what its own option costs and of what that option costs behind the row before.

    Costs are MACs, weights and bytes moved, as of `products.Products`. own: (L, K, 3), of option k of row l whatever is
    before it. kind: (L, K), what a row shows to the next one, as a number from 0 to G - 1: often the options of a row
    write few different widths. behind: (L, K, G, 3), what option k of row l costs behind an option of kind g, in
    addition; of the first row it is not used.
    """

    own: npt.NDArray[np.float64]
    kind: npt.NDArray[np.int64]
    behind: npt.NDArray[np.float64]

    @property
    def most(self) -> npt.NDArray[np.float64]:
        """(3,): MACs, weights and bytes moved, each of the row that has most of them in any network."""
        later = (self.own[1:, :, None] + self.behind[1:]).max((0, 1, 2), initial=0)
        return np.asarray(np.maximum(self.own[0].max(0), later))

    def macs_of(self, code_NLK: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The MACs (N,) of all rows together, by codes (N, L, K)."""
        counts = self.counts(torch.from_numpy(np.asarray(code_NLK)).double())
        return np.asarray(counts[:, :, 0].sum(1).numpy())

    def counts(self, gates_NLK: Tensor) -> Tensor:
        """(N, L, 3): MACs, weights and bytes moved in fp32 of every row, for gates (N, L, K).

        Gates that are no code, but probabilities, give the mean costs if each row drew its option independently.
        """
        G, D = self.behind.shape[2:]
        own, behind = (torch.as_tensor(values).to(gates_NLK) for values in (self.own, self.behind))
        shown_NLG = torch.einsum("nlk,lkg->nlg", gates_NLK[:, :-1], _one_hot(self.kind[:-1], G).to(gates_NLK))
        dear_NLGD = torch.einsum("nlk,lke->nle", gates_NLK[:, 1:], behind[1:].flatten(2)).unflatten(2, (G, D))
        alone = torch.einsum("nlk,lkd->nld", gates_NLK, own)
        return torch.cat([alone[:, :1], alone[:, 1:] + (shown_NLG[..., None] * dear_NLGD).sum(2)], 1)


def _one_hot(kind_LK: npt.NDArray[np.int64], kinds: int) -> Tensor:
    return torch.from_numpy(np.eye(kinds)[kind_LK])
