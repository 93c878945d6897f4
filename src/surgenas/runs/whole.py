"""A run that begins with weights: the whole network that they are of, and when it needs no smaller version."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from surgenas.core.capabilities import Shrinks, require
from surgenas.methods.drawn import Drawn
from surgenas.nn.loaded import Loaded
from surgenas.nn.pretrained import load_start
from surgenas.nn.reading import read_tensors
from surgenas.nn.weights import read_weights
from surgenas.runs.config import PUBLISHED
from surgenas.runs.names import START
from surgenas.runs.resources import reached_excess
from surgenas.runs.results import STEP_OF, Planned, Profiled, Started
from surgenas.runs.run import Run


def read_whole(run: Run) -> tuple[nn.Module, Loaded]:
    """The whole network with the weights that were asked for; what names classes is fresh where the classes are others.

    Raises UsageError for weights that are none, or of another network.
    """
    space, asked = require(run.space, Shrinks), run.config.training.weights
    whole = space.whole()
    tensors = space.published() if asked == PUBLISHED else read_tensors(Path(asked))
    return whole, load_start(whole, tensors, asked)


def whole_weights(run: Run) -> dict[str, Tensor] | None:
    """The whole network's weights as all networks of the run begin with them; None for a run from nothing.

    Raises CorruptError if their file is not what it was.
    """
    started = run.result(Started)
    return read_weights(run.folder / START, started.digest) if started else None


def meets_limit_whole(run: Run) -> bool:
    """Whether a run that begins with weights has a limit that the whole network meets, so that nothing is searched.

    It is decided once, before networks are profiled: a scale that is repaired later changes nothing of what is done.
    """
    if not run.config.training.weights:
        return False
    if run.journal.done(STEP_OF[Profiled]) is not None:
        return run.result(Profiled) is None
    return run.reached.limit_ms >= run.reached.high_ms and not reached_excess(run)[1]


def found_by(run: Run) -> str:
    """The name of the method that found the network; empty where nobody did, since the whole network meets the
    limit."""
    planned = run.result(Planned)
    if planned is None or planned.epochs:
        return run.config.method.name
    return "" if meets_limit_whole(run) else Drawn.name
