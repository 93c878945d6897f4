"""Contract check of accuracy predictors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from surgenas.accuracy.base import AccuracyPredictor, make_accuracy_predictor
from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Boxed
from surgenas.core.space import Floats, Space
from surgenas.predictors.evaluate import rank_correlations


def check_accuracy_predictor(
    name: str, space: Space, truth: Callable[[Sequence[Architecture]], Floats], *, least: float = 0.5, seed: int = 0
) -> None:
    """Check that a predictor orders networks that it has not seen, says how sure it is, depends on nothing but its
    arguments, explains nothing where there is nothing to explain, and in a space of numbers says the same of the
    options themselves. truth: scores (N,) of N networks. least: Spearman's correlation with it. Raises AssertionError.
    """
    rng = np.random.default_rng(seed)
    archs = list({space.canonical(arch).key: arch for arch in moves.sample_many(space, 90, rng)}.values())
    learned, others = archs[: len(archs) // 2], archs[len(archs) // 2 :]
    scores_N = truth(learned)
    before = torch.get_rng_state()
    predictor = make_accuracy_predictor(name, space, seed)
    assert predictor.fit(learned, scores_N) is predictor
    assert predictor.refusal == ""
    predicted_N = predictor.predict(others)
    assert predicted_N.shape == (len(others),)
    assert rank_correlations(predicted_N, truth(others))[1] >= least
    spread_N = predictor.uncertainty(others)
    assert spread_N.shape == (len(others),)
    assert (spread_N > 0).all()
    assert predictor.held_out_error < 1.5 * scores_N.std()
    assert predictor.predict([]).shape == (0,)
    again = predictor.make_unfitted().fit(learned, scores_N)
    assert np.array_equal(again.predict(others), predicted_N)
    assert torch.equal(before, torch.get_rng_state())
    for few in (learned, learned[:1]):  # equal scores, and one alone
        flat = predictor.make_unfitted().fit(few, np.full(len(few), 0.7))
        assert flat.refusal
        assert np.allclose(flat.predict(others), 0.7)
    assert flat.held_out_error == float("inf")
    if type(predictor).predict_at is not AccuracyPredictor.predict_at and isinstance(space, Boxed):
        axes = space.axes()
        places = [moves.indices(space, arch) for arch in others]
        values_NC = np.array([[axis[i] for axis, i in zip(axes, row, strict=True)] for row in places])
        assert np.allclose(predictor.predict_at(values_NC), predicted_N)
