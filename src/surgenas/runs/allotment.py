"""How is a time limit shared between a search and the trainings? By what either buys (docs/lab.md)."""

from __future__ import annotations

from dataclasses import dataclass

SEARCH = 0.25
"""The share of a short time that a search gets which was asked for: with a quarter it ends better than with half."""


USED = 0.85
"""The share of a time limit that is given away; the rest is for what takes longer than it was seen to take."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a run would do if it had the time, in epochs, and the seconds that an epoch takes.

    least, least_train: fewer epochs of search, of training, are of no use. beside_s: what the search takes beside its
    epochs. optional: the search may be left out.
    """

    epochs: int
    epoch_s: float
    beside_s: float
    least: int
    train_epochs: int
    train_epoch_s: float
    least_train: int
    optional: bool


def allot(left_s: float, wanted: Wanted) -> tuple[int, int]:
    """Epochs of search and of training for so many seconds.

    Trainings come first where the search may be left out: what it finds in a short time is worth less than the
    training that it takes away. Else it gets no more than SEARCH of a short time.
    """
    w = wanted
    whole_s, first = w.train_epochs * w.train_epoch_s, 0.0 if w.optional else SEARCH
    search_s = max(first * left_s, left_s - whole_s) - w.beside_s
    epochs = min(w.epochs, int(search_s / w.epoch_s)) if w.epochs else 0
    if epochs < w.least:
        epochs = 0 if w.optional else min(w.epochs, w.least)
    taken_s = epochs * w.epoch_s + w.beside_s if epochs else 0.0
    return epochs, fitting(left_s - taken_s, w.train_epoch_s, w.least_train, w.train_epochs)


def fitting(left_s: float, epoch_s: float, least: int, most: int) -> int:
    """Epochs of training for so many seconds, within what is of use."""
    return min(most, max(least, int(left_s / epoch_s)))
