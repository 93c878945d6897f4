"""What was found to explain the accuracy of a few trained networks, as values: whoever shows them learns nothing."""

from __future__ import annotations

from dataclasses import dataclass

from surgenas.core.record import Record


@dataclass(frozen=True)
class ModelScore(Record):
    """How well one model explains the samples.

    error: root mean square error on held-out samples, in the unit of the scores. spearman, kendall: rank correlations
    of the same predictions; all three None where there are too few samples. a, b: of a formula of one number; None for
    other models. refusal: why the model explains nothing; empty if it may be used.
    """

    name: str
    error: float | None
    spearman: float | None
    kendall: float | None
    a: float | None = None
    b: float | None = None
    refusal: str = ""


@dataclass(frozen=True)
class Explained(Record):
    """What explains the accuracy of so many samples. models: those that may be used first, the least held-out error
    first. chosen: the name of the first; empty if none may be used. spread: standard deviation of the scores, which is
    the error of predicting their mean."""

    samples: int
    spread: float
    models: tuple[ModelScore, ...]
    chosen: str

    @property
    def beats_mean(self) -> bool:
        """Whether the chosen model is less wrong about samples that it has not learned from than their mean is."""
        error = self.models[0].error if self.chosen else None
        return error is not None and error < self.spread

    @property
    def refused(self) -> tuple[ModelScore, ...]:
        """The models that do not explain the samples."""
        return tuple(model for model in self.models if model.refusal)
