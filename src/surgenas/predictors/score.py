"""The errors of a latency predictor, as a value: whoever shows them fits nothing."""

from __future__ import annotations

from dataclasses import dataclass

from surgenas.core.record import Record


@dataclass(frozen=True)
class Score(Record):
    """The errors of one predictor on architectures that it has not seen.

    kendall, spearman: rank correlations. mape: mean relative error; within_5, within_10: shares of the predictions that
    are off by at most 5 and 10 %; all three as fractions. rmse_ms, mean_ms: root mean square and mean absolute error.
    off: mean error as a share of the latency, or of a tenth of the median where that is more (`relative_errors`), so
    that networks of next to no latency do not decide it. near_limit: the same over those that were measured within NEAR
    of the limit; None if there is no limit, or no such network.
    """

    name: str
    kendall: float
    spearman: float
    mape: float
    within_5: float
    within_10: float
    rmse_ms: float
    fit_seconds: float
    mean_ms: float | None = None
    off: float | None = None
    near_limit: float | None = None
