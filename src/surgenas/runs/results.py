"""What each step of a run found, as values. A step records its own result; everything else reads it from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from surgenas.accuracy.explained import Explained
from surgenas.core.architecture import Architecture
from surgenas.core.record import Record
from surgenas.hardware.costs import AnyCost
from surgenas.nn.loaded import Loaded
from surgenas.predictors.score import Score
from surgenas.runs.names import ONNX
from surgenas.tasks.by_class import ByClass
from surgenas.tasks.misjudged import Misjudged


@dataclass(frozen=True)
class Sized(Record):
    """The channel multiplier of the space, for a run that was not told one. low_ms: the smallest network's latency at a
    multiplier of 1. resolution: of the images, for a run that was not told one; 0 if it is as by default."""

    width: float
    low_ms: float
    resolution: int = 0


@dataclass(frozen=True)
class OperatorRow(Record):
    """An operator on a device. Numbers are means over layers, None where the device cannot run it.

    capacity: in 0..1. latency: over the median of the layer's operators. why: why it was dropped; empty if it was kept.
    """

    operator: str
    capacity: float | None
    latency: float | None
    score: float | None
    kept: bool
    why: str


@dataclass(frozen=True)
class Selected(Record):
    """The operators selected for the device. pool: as a setting of the space."""

    pool: str
    operators: tuple[OperatorRow, ...]


@dataclass(frozen=True)
class Reached(Record):
    """Latencies of the networks with the fewest and with the most MACs; the limit that is chosen between them; and the
    one that was asked for, if any, which counts then. slowdown: how much longer than in the machine's quiet state the
    runs take that the asked limit is for; None if it is for that state."""

    low_ms: float
    high_ms: float
    chosen_ms: float
    asked_ms: float | None = None
    slowdown: float | None = None

    @property
    def limit_ms(self) -> float:
        """The limit of the run, of latencies in the machine's quiet state."""
        return self.asked_ms / (self.slowdown or 1.0) if self.asked_ms else self.chosen_ms


@dataclass(frozen=True)
class Planned(Record):
    """What the run is going to do and take.

    epochs: of the search. train_epochs: of each final training. *_s: estimated seconds. memory_bytes: memory of the
    process while the largest path waits for its backward pass.
    """

    epochs: int
    train_epochs: int
    profile_s: float
    search_s: float
    train_s: float
    other_s: float
    memory_bytes: int

    @property
    def total_s(self) -> float:
        """Estimated seconds of the whole run."""
        return self.profile_s + self.search_s + self.train_s + self.other_s


@dataclass(frozen=True)
class Scheduled(Record):
    """What a time limit leaves for the final trainings, once all before them is done: epochs of each, and the seconds
    that one takes on average."""

    train_epochs: int
    epoch_s: float


@dataclass(frozen=True)
class Started(Record):
    """The whole network whose smaller versions are searched, as it was made ready for the images of the run.

    loaded: the weights that it began with. digest: SHA-256 of the file of its weights now. epochs: how long it was
    trained on the images that the search may train on. accuracy: on the images held out from it; None if there are
    none.
    """

    loaded: Loaded
    digest: str
    epochs: int
    accuracy: float | None = None


@dataclass(frozen=True)
class Profiled(Record):
    """samples: how many networks were measured. held_out_errors: after each batch of them, the error of predicting the
    networks held out, as RMSE over mean latency; None if it was not finite."""

    samples: int
    held_out_errors: tuple[float | None, ...]


@dataclass(frozen=True)
class HeldOutLatencies(Record):
    """Predicted and measured latencies of networks that the chosen predictor had not learned from."""

    predicted_ms: tuple[float, ...]
    measured_ms: tuple[float, ...]


@dataclass(frozen=True)
class Predicted(Record):
    """The comparison of latency predictors.

    scores: on networks held out, the best first. held_out: the predictions of the chosen one. ceiling: the score that a
    perfect predictor would have, given the noise; None if too few networks were measured twice. chosen: the name of the
    best predictor. why: why it was chosen.
    """

    scores: tuple[Score, ...]
    held_out: HeldOutLatencies
    ceiling: Score | None
    chosen: str
    why: str


@dataclass(frozen=True)
class Searched(Record):
    """rounds: how many epochs of shared weights, or how many trials, the search took. explained: what explains the
    accuracy of the networks that it judged, for methods that learn that; else None."""

    rounds: int
    explained: Explained | None = None


@dataclass(frozen=True)
class Derived(Record):
    """The found network. predicted_ms: before it was measured. cost: as confirmed by measuring.
    rounds: of measuring."""

    architecture: Architecture
    predicted_ms: float
    cost: AnyCost
    rounds: int


@dataclass(frozen=True)
class Rivals(Record):
    """The architectures that the found network is compared with, by name."""

    architectures: Mapping[str, Architecture]


@dataclass(frozen=True)
class Accuracy(Record):
    """The accuracy (0 to 1) of a trained network on the test part.

    balanced: the mean of the classes' accuracies. classes: how well it tells each of them. misjudged: the images that
    it judges worst, in the order of their thumbnails in MISJUDGED. In runs of before these are None or empty, classes
    and misjudged also for networks that the found one is only compared with.
    """

    accuracy: float
    balanced: float | None = None
    classes: ByClass | None = None
    misjudged: tuple[Misjudged, ...] = ()


@dataclass(frozen=True)
class ModelFile(Record):
    """What a model file takes. batch: how many images at once; None for any number. runtime: what it is made for; None
    for whatever reads ONNX."""

    precision: str = "fp32"
    batch: int | None = None
    runtime: str | None = None


@dataclass(frozen=True)
class Delivered(Record):
    """The files that a device runs as they are, loaded there and compared with PyTorch on test images.

    digests: the SHA-256 of each, by name, the one that is opened first. difference: the largest of a logit, relative to
    the largest logit. same_class: share of images that both assign to the same class. accuracy: on the test part, of
    what the device computes.
    """

    device: str
    file: ModelFile
    digests: Mapping[str, str]
    difference: float
    same_class: float
    accuracy: float


@dataclass(frozen=True)
class TotalCost(Record):
    """How many images the found network took, passed forward and backward through a network each: in the search, as far
    as judging candidates is worth so many, and in its training. train_epochs: of that. Measuring is not among it, which
    random architectures of the found network's latency need as well."""

    search: int
    judging: int
    training: int
    train_epochs: int

    @property
    def passes(self) -> int:
        """Of all together."""
        return self.search + self.judging + self.training

    @property
    def in_trainings(self) -> float:
        """How many trainings of the found network it is worth."""
        return self.passes / self.training

    @property
    def epochs(self) -> int:
        """Epochs of a training that passes as many images."""
        return round(self.train_epochs * self.in_trainings)


@dataclass(frozen=True)
class Exported(Record):
    """How model.onnx compares with PyTorch on test images.

    max_difference: largest difference of a logit, relative to the largest logit. same_class: share of images that both
    assign to the same class. delivered: the device's own files; None where nothing runs.
    """

    max_difference: float
    same_class: float
    delivered: Delivered | None = None

    @property
    def files(self) -> dict[str, ModelFile]:
        """Every model file by name, the one for everybody first."""
        own = self.delivered
        return {ONNX: ModelFile(), **(dict.fromkeys(own.digests, own.file) if own else {})}


@dataclass(frozen=True)
class Layer(Record):
    """A part of the found network. share: its share of the latency, from a profiled run; None if the target cannot
    tell."""

    name: str
    operator: str
    out_shape: tuple[int, ...]
    macs: float
    params: int
    share: float | None


@dataclass(frozen=True)
class Verified(Record):
    """The claim: costs of the found network and of its rivals, by name, asked for together; and the found network's
    layers."""

    costs: Mapping[str, AnyCost]
    layers: tuple[Layer, ...]


STEP_OF: dict[type[Record], str] = {
    Sized: "size", Selected: "operators", Reached: "reach", Planned: "plan", Profiled: "profile", Started: "start",
    Predicted: "predict", Searched: "search", Derived: "derive", Rivals: "rivals", Scheduled: "schedule",
    TotalCost: "cost", Exported: "export", Verified: "verify",
}  # fmt: skip
"""The step that records each kind of result. A training is a step of its own for each network, such
as "train found"."""
HARDLY_BEGUN = {STEP_OF[kind] for kind in (Sized, Selected, Reached, Planned)}
"""Steps that are done before a run may be refused."""
