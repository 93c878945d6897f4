"""The story of a run, read from the journal alone: what the report page draws beside the summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from surgenas.core.capabilities import Cells, Kept, MadeOfCells, Shrinks
from surgenas.core.record import Record
from surgenas.hardware.target import TargetInfo
from surgenas.runs.asked import Asked, asked_networks
from surgenas.runs.front import TradeOff, trade_offs
from surgenas.runs.names import FOUND
from surgenas.runs.results import Derived, HeldOutLatencies, Layer, Predicted, Selected, Verified
from surgenas.runs.run import Run
from surgenas.runs.whole import found_by
from surgenas.tasks.misjudged import Misjudged


@dataclass(frozen=True)
class Story(Record):
    """What only the report page shows.

    data, epochs, trials, training: events of the journal; training by the name of the network. target: what was asked
    for costs. held_out: predictions against measurements. layers: of the found network. rounds: of measuring
    candidates. misjudged: the test images that the found network judges worst. cells: of the found network. rows: the
    layers or edges that a search weighed operators on, and these operators. front: the candidates that no other beats.
    asked: every network whose latency was asked for on the way. method: the name of what found the network; empty if
    nobody did.
    kept: of a network that was made smaller, what is left of its parts.
    """

    data: Mapping[str, Any]
    target: TargetInfo | None
    epochs: tuple[Mapping[str, Any], ...]
    trials: tuple[Mapping[str, Any], ...]
    training: Mapping[str, tuple[Mapping[str, Any], ...]]
    held_out: HeldOutLatencies | None
    layers: tuple[Layer, ...]
    selected: Selected | None
    rounds: int | None
    misjudged: tuple[Misjudged, ...] = ()
    cells: Cells = field(default_factory=dict)
    rows: tuple[tuple[str, tuple[str, ...]], ...] = ()
    front: tuple[TradeOff, ...] = ()
    asked: tuple[Asked, ...] = ()
    method: str = ""
    kept: tuple[Kept, ...] = ()

    @property
    def is_estimated(self) -> bool:
        """Does nothing run on the target?"""
        return self.target is not None and self.target.evidence == "estimated"


def tell_story(run: Run) -> Story:
    """The story of a run, from the journal alone."""
    journal, verified, derived = run.journal, run.result(Verified), run.result(Derived)
    trained = run.trained(FOUND)
    predicted, target = run.result(Predicted), journal.last("target")
    names = dict.fromkeys(e["network"] for e in journal.all("trained"))
    weighs = any("probabilities" in e["summary"] for e in journal.all("epoch"))
    return Story(
        data=journal.last("data") or {},
        target=TargetInfo.from_json({k: v for k, v in target.items() if k != "event"}) if target else None,
        epochs=tuple(e["summary"] for e in journal.all("epoch")),
        trials=tuple(journal.all("trial")),
        training={name: tuple(journal.all("trained", network=name)) for name in names},
        held_out=predicted.held_out if predicted else None,
        layers=verified.layers if verified else (),
        selected=run.result(Selected),
        rounds=derived.rounds if derived else None,
        misjudged=trained.misjudged if trained else (),
        cells=run.space.cells(derived.architecture) if derived and isinstance(run.space, MadeOfCells) else {},
        rows=tuple((row.name, row.options) for row in run.space.rows) if weighs else (),
        front=trade_offs(run),
        asked=asked_networks(run),
        method=found_by(run),
        kept=tuple(run.space.kept(derived.architecture)) if derived and isinstance(run.space, Shrinks) else (),
    )
