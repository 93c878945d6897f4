"""What explains accuracy, as a value: better than the mean or not, what was refused, and the same from JSON."""

from __future__ import annotations

from dataclasses import replace

from surgenas.accuracy.explained import Explained, ModelScore

REFUSED = ModelScore("mass", 0.01, -0.1, -0.1, refusal="accuracy falls with it")
FOUND = Explained(25, 0.03, (ModelScore("degree", 0.02, 0.9, 0.8), REFUSED), "degree")


def test_the_chosen_model_is_compared_with_the_mean():
    assert FOUND.beats_mean
    assert not replace(FOUND, spread=0.02).beats_mean
    assert not replace(FOUND, chosen="").beats_mean, "none was chosen"
    assert not replace(FOUND, models=(ModelScore("degree", None, None, None),)).beats_mean, "too few samples"


def test_what_was_refused_is_told_apart():
    assert FOUND.refused == (REFUSED,)
    assert Explained.from_json(FOUND.to_json()) == FOUND
