"""What each step of a run found, as values. A step records its own, and everybody else reads them from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from surgenas.core.architecture import Architecture
from surgenas.core.record import Record
from surgenas.hardware.costs import AnyCost
from surgenas.predictors.evaluate import Score

FOUND, YARDSTICK = "found", "MobileNetV2"
"""Names of the found network and of the one that is scaled to its latency."""
RANDOM, EQUAL = "random", "random at equal latency"
"""Random architectures of any latency, and of the found network's; numbered from 1."""


@dataclass(frozen=True)
class OperatorRow(Record):
    """An operator on a device: means over layers, None where it cannot run. latency: over the layer's median. why: it
    was dropped; empty if it was not."""

    operator: str
    capacity: float | None
    latency: float | None
    score: float | None
    kept: bool
    why: str


@dataclass(frozen=True)
class Selected(Record):
    """The operators that the device likes. pool: as a setting of the space."""

    pool: str
    operators: tuple[OperatorRow, ...]


@dataclass(frozen=True)
class Reached(Record):
    """Latencies of the networks of least and most MACs, and the limit: as asked, or chosen between them."""

    low_ms: float
    high_ms: float
    limit_ms: float


@dataclass(frozen=True)
class Planned(Record):
    """Estimated seconds by step; memory: bytes resident while the largest path waits for its backward pass."""

    epochs: int
    train_epochs: int
    profile_s: float
    search_s: float
    train_s: float
    other_s: float
    memory_bytes: int

    @property
    def total_s(self) -> float:
        return self.profile_s + self.search_s + self.train_s + self.other_s


@dataclass(frozen=True)
class Profiled(Record):
    """How many networks were measured, and the relative error of predicting those held out after each batch of them;
    None while there were too few."""

    samples: int
    held_out_errors: tuple[float | None, ...]


@dataclass(frozen=True)
class HeldOutLatencies(Record):
    """Predicted and measured latencies of networks that the chosen predictor had not seen."""

    predicted_ms: tuple[float, ...]
    measured_ms: tuple[float, ...]


@dataclass(frozen=True)
class Predicted(Record):
    """Scores of all predictors on held-out networks, the best first; the noise ceiling; the chosen one, and why."""

    scores: tuple[Score, ...]
    held_out: HeldOutLatencies
    ceiling: Score | None
    chosen: str
    why: str


@dataclass(frozen=True)
class Searched(Record):
    """How far the search went: epochs of shared weights, or candidates that it had judged."""

    rounds: int


@dataclass(frozen=True)
class Derived(Record):
    """The found network, what was predicted of it, what confirmed it, and after how many rounds of measuring."""

    architecture: Architecture
    predicted_ms: float
    cost: AnyCost
    rounds: int


@dataclass(frozen=True)
class Rivals(Record):
    """What the found network is compared with, by name."""

    architectures: Mapping[str, Architecture]


@dataclass(frozen=True)
class Accuracy(Record):
    """Of a trained network, on the test part."""

    accuracy: float


@dataclass(frozen=True)
class Exported(Record):
    """Largest difference of a logit to PyTorch's on test images, and the share of images of the same class."""

    max_difference: float
    same_class: float


@dataclass(frozen=True)
class Layer(Record):
    """A part of the found network. share: of the latency, from a profiled run; None where the target cannot tell."""

    name: str
    operator: str
    out_shape: tuple[int, ...]
    macs: float
    params: int
    share: float | None


@dataclass(frozen=True)
class Verified(Record):
    """The claim: costs of the found network and its rivals, asked together, and the found one layer by layer."""

    costs: Mapping[str, AnyCost]
    layers: tuple[Layer, ...]
