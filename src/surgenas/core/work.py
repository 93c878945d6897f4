"""What a search asks to be done: small frozen values with a stable key.

An engine may do them here, elsewhere, or by looking them up, and what was done before is known again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from surgenas.core.architecture import Architecture
from surgenas.core.cost import Effort


@dataclass(frozen=True)
class Epochs:
    """Train the weights that all architectures share for one more pass over the images. number: counted from 0.

    Its result is the pass itself, as (images, labels) batches: shared weights stay with the search that holds them.
    """

    number: int

    @property
    def key(self) -> str:
        return f"epoch/{self.number}"


@dataclass(frozen=True)
class Judge:
    """How good is an architecture on images that nothing is trained on? Its result is a score, the larger the better.

    rung: at which of the engine's fidelities, 0 the cheapest.
    """

    arch: Architecture
    rung: int = 0

    @property
    def key(self) -> str:
        return f"judge/{self.arch.key}/{self.rung}"

    @property
    def name(self) -> str:
        """Which checkpoints are its own, where a training goes on from one fidelity to the next."""
        return f"candidate-{self.arch.key}"


@dataclass(frozen=True)
class Weights:
    """Weights to begin a training with: a safetensors file, and the SHA-256 of its content."""

    file: str
    digest: str


@dataclass(frozen=True)
class Train:
    """Train an architecture and report it on the test part. Its result is an `engine.base.Trained`.

    name: which checkpoints are its own. seed: of fresh weights and of the order of the images. start: the weights that
    it begins with; None for fresh ones.
    """

    name: str
    arch: Architecture
    seed: int
    start: Weights | None = None

    @property
    def key(self) -> str:
        begun = f"/{self.start.digest[:16]}" if self.start else ""
        return f"train/{self.arch.key}/{self.seed}{begun}"


@dataclass(frozen=True)
class Price:
    """What do these architectures cost on the target? Its result is a list of costs and failures, in their order."""

    archs: tuple[Architecture, ...]
    effort: Effort = Effort.LEARN

    @property
    def key(self) -> str:
        together = hashlib.sha256(" ".join(arch.key for arch in self.archs).encode()).hexdigest()[:16]
        return f"price/{together}/{self.effort}"


Work = Epochs | Judge | Train | Price
