"""What came out of a step of a run? In a few words, for the line that says that it is done."""

from __future__ import annotations

from surgenas.core.cost import show_cost
from surgenas.core.record import Record
from surgenas.core.units import show_seconds
from surgenas.runs.outlook import seconds_left
from surgenas.runs.results import Accuracy, Derived, Exported, Predicted, Profiled, Rivals, Scheduled, Searched
from surgenas.runs.run import Run

LEAST_S = 1.0
"""Of steps that take less, nothing is said."""


def say_done(run: Run, step: str, found: Record | None) -> None:
    """Tell a person that a step is done: what came out, what it took, and how long the rest will take."""
    spent_s = run.seconds().get(step, 0.0)
    came_out = outcome(found)
    if spent_s < LEAST_S and not came_out:
        return
    left_s = seconds_left(run)
    left = f", about {show_seconds(left_s)} left" if left_s else ""
    run.progress.log(f"{step}: {came_out}{'; ' if came_out else ''}{show_seconds(spent_s)}{left}")


def outcome(found: Record | None) -> str:
    """The result of a step in words; empty for those that say it themselves, or have nothing to say."""
    match found:
        case Profiled():
            return f"{found.samples} networks priced"
        case Predicted():
            best = next(score for score in found.scores if score.name == found.chosen)
            near = "" if best.near_limit is None else f", by {best.near_limit:.1%} near the limit"
            off = f"off by {best.off:.1%} on average{near}, Kendall tau {best.kendall:.2f}"
            return f"latency predictor {found.chosen} ({off}; {found.why})"
        case Searched():
            return f"{found.rounds} rounds"
        case Derived():
            return f"found a network, {show_cost(found.cost)}"
        case Rivals():
            return f"to compare with: {', '.join(found.architectures)}" if found.architectures else ""
        case Scheduled():
            return f"{found.train_epochs} epochs for each network that is trained"
        case Accuracy():
            return f"test accuracy {found.accuracy:.2%}"
        case Exported():
            return f"ONNX, {found.max_difference:.1e} beside PyTorch"
        case _:
            return ""
