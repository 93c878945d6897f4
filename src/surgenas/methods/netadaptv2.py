"""NetAdaptV2: many sizes of a network trained in one pass, then descent along several choices at a time.

Yang, Liao, Sze: "NetAdaptV2: Efficient Neural Architecture Search with Fast Super-Network Training and Architecture
Optimization", CVPR 2021, arXiv 2104.00031. It has no public code; ours: docs/methods/netadapt.md, 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.bounds import Count
from surgenas.core.seeds import generator
from surgenas.core.space import Floats, Space
from surgenas.methods.base import LEAST_HELD, Batches, Needs, Problem
from surgenas.methods.shrink_path import Chosen
from surgenas.methods.shrink_settings import Shrinking
from surgenas.methods.shrinking import ShrinkingSearch

PROPOSED = 6
"""How many networks are made for each one that is judged (docs/log.md, candidates of an iteration)."""


@dataclass(frozen=True, kw_only=True)
class NetAdaptV2(Shrinking):
    """Settings of one search. What the paper does not say is ours (docs/methods/netadapt.md, 4).

    epochs: passes that train the shared weights, each image through a smaller network of its own.
    samples: candidates of an iteration.
    together: choices that shrink together in a candidate.
    """

    name: ClassVar[str] = "netadaptv2"

    step: Annotated[float, Field(gt=0, lt=1)] = 0.03
    decay: Annotated[float, Field(gt=0, le=1)] = 0.98
    iterations: Count = 60
    samples: Count = 16
    together: Count = 3

    def needs(self, space: Space) -> Needs:
        return Needs(
            shares=("elastic",),
            data="held out",
            least_held=LEAST_HELD,
            cost="any",
            passes=1,
            judged=self.halving * self.samples,
        )

    def begin(self, problem: Problem) -> NetAdaptV2Search:
        return NetAdaptV2Search(self, problem)


class NetAdaptV2Search(ShrinkingSearch):
    """Trains shared weights by ordered dropout, then shrinks several choices in each iteration."""

    config: NetAdaptV2

    @property
    def training_epochs(self) -> int:
        return self.config.epochs

    def logits(self, images: Tensor, index: int) -> Tensor:
        """Of each image by a network of its own, drawn between the largest and a uniform one: a share of the choices,
        drawn for the image, has uniformly drawn options, the others their largest."""
        options, rng = [len(choice.options) for choice in self.space.choices], generator(self.seed, "paths", index)
        size = (self.ranks.images, len(options))
        shrinks = rng.random(size) < rng.random((self.ranks.images, 1))
        paths = np.where(shrinks, rng.integers(0, options, size=size), np.array(options) - 1)
        logits: Tensor = self.supernet.at_each(images, self.ranks.slice(torch.from_numpy(paths)).tolist())
        return logits

    def smaller(self, target_ms: float, iteration: int) -> list[Architecture]:
        """Networks in which a few random choices shrink, one option at a time, a random one of them each time, until
        the target is met or none of them can shrink further. PROPOSED times as many as are judged are made, and those
        stay that give up the least."""
        rng, J = generator(self.seed, "descent", iteration), PROPOSED * self.config.samples
        now = np.array(moves.indices(self.space, self.path[-1].arch))
        free = self._saving(now)
        if not len(free):
            return []
        some = np.stack([rng.permutation(free)[: self.config.together] for _ in range(J)])
        places = np.tile(now, (J, 1))
        missing = np.arange(J)
        while len(missing):
            for row in missing:
                left = some[row][places[row, some[row]] > 0]
                places[row, rng.choice(left)] -= 1
            late = self.predicted(self._networks(places[missing])) > target_ms
            missing = np.array([row for row in missing[late] if places[row, some[row]].any()], dtype=np.int64)
        places = np.unique(places, axis=0)
        meets = self.predicted(self._networks(places)) <= target_ms
        best = np.lexsort((given_up(places, now), ~meets))
        return self._networks(places[best[: self.config.samples]])

    def _saving(self, now: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The choices that save latency at their smallest option; those of a block that is off do not."""
        can = np.flatnonzero(now)
        rows = np.tile(now, (len(can) + 1, 1))
        rows[np.arange(len(can)), can] = 0
        ms = self.predicted(self._networks(rows))
        return can[ms[:-1] < ms[-1]]

    def _networks(self, places: npt.NDArray[np.int64]) -> list[Architecture]:
        return [moves.from_indices(self.space, row) for row in places]

    def choose(self, archs: Sequence[Architecture], batches: Batches) -> Chosen:
        """The candidate of highest held-out accuracy with the shared weights, of equal ones the fastest."""
        scores, ms = self.judge(archs), self.predicted(archs)
        best = max(range(len(archs)), key=lambda i: (scores[i], -ms[i]))
        return Chosen(archs[best], scores[best])


def given_up(places: npt.NDArray[np.int64], now: npt.NDArray[np.int64]) -> Floats:
    """(N,), how much smaller each of N networks is than the present one, by the positions of their options (N, C) and
    (C,): the sum over choices of log (options left before / options left). It costs little to take a bit of several
    choices, and much to take nearly all of one."""
    left: Floats = np.log((now + 1) / (places + 1)).sum(1)
    return left
