"""What the steps share about the search: how long it takes, what it is searched on, and how it goes on."""

from __future__ import annotations

import math
from dataclasses import asdict, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch

from surgenas.core import moves
from surgenas.core.cost import Failure
from surgenas.core.errors import UsageError
from surgenas.core.trial import Trial
from surgenas.core.work import Judge, Price, Work
from surgenas.engine.base import Remembering, drive
from surgenas.engine.here import Here
from surgenas.hardware.costs import read_cost
from surgenas.methods.base import EpochSummary, Method, Needs, Problem, Search
from surgenas.methods.candidates import HeldOut
from surgenas.methods.drawn import Drawn
from surgenas.methods.inside import Inside
from surgenas.nn.statistics import CALIBRATION
from surgenas.predictors.base import Predictor
from surgenas.runs.limit import Timely
from surgenas.runs.measured import allowed, fitted_predictor, samples, scaled_target
from surgenas.runs.results import Planned
from surgenas.runs.run import Run
from surgenas.runs.training import fine_tuning, recipe
from surgenas.runs.whole import whole_weights
from surgenas.training.augment import steps_per_epoch

DEFAULT_EPOCHS, DIGITS_EPOCHS = 20, 7
"""Epochs of a search with shared weights if the user does not say; the second number is for the digits data."""
CANDIDATE_EPOCHS = 0.25
"""A candidate that is trained by itself gets this share of the epochs of a final training."""
BEGUN_EPOCHS = 5
"""The same for shared weights that begin with trained ones."""
NEAREST = 10
"""The predictor's uncertainty near the limit is taken at this many measured networks."""
LARGEST_MARGIN = 0.1
"""The search aims below the limit by at most this share of it."""


class Searching:
    """What a run's search works with: method, images and engine."""

    def __init__(self, run: Run) -> None:
        self.run = run

    @cached_property
    def asked(self) -> Method:
        """The method that was asked for; where the plan leaves it no time, none that searches."""
        plan = self.run.result(Planned)
        return Drawn() if plan and not plan.epochs else self.run.asked_method

    @cached_property
    def needs(self) -> Needs:
        """What the method needs in the run's space."""
        return self.asked.needs(self.run.space)

    @property
    def held_out(self) -> HeldOut | None:
        """The images that paths of shared weights are judged by; None if the method judges none."""
        data, aside = self.run.images.search, self.run.images.aside
        if aside is None or not self.needs.shares:
            return None
        calibration, judged = (
            data.normalise(part.images[:]).contiguous(memory_format=torch.channels_last)
            for part in (data.train.spaced(CALIBRATION), aside)
        )
        return HeldOut(calibration, judged, aside.labels, data.balanced)

    @property
    def steps_per_epoch(self) -> int:
        """How many mini-batches a pass over the search's images has."""
        return steps_per_epoch(self.run.images.search, self.run.config.training.batch)

    @property
    def epochs(self) -> int:
        """Epochs of the shared weights, or of each candidate: those of the plan if there is one, else as configured or
        by default."""
        plan = self.run.result(Planned)
        if plan or not self.needs.searches:
            return plan.epochs if plan else 0
        return self.run.config.method.epochs or self.default_epochs(self.needs)

    def default_epochs(self, needs: Needs) -> int:
        """How many epochs a method with these needs gets on these images if the user does not say."""
        if not needs.shares:
            least = needs.apart ** (needs.rungs - 1)  # so that its fidelities differ
            return max(least, round(CANDIDATE_EPOCHS * recipe(self.run).epochs))
        if self.run.config.training.weights:
            return round(needs.longer * BEGUN_EPOCHS)
        usual = DIGITS_EPOCHS if self.run.config.data.source == "digits" else DEFAULT_EPOCHS
        return max(round(needs.longer * usual), math.ceil(needs.least_steps / self.steps_per_epoch))

    @property
    def method(self) -> Method:
        """The method with its final number of epochs; raises UsageError if the epochs are given as a setting of the
        method."""
        asked: Any = self.asked
        if "epochs" in self.run.config.method.settings:
            raise UsageError("--set epochs: the plan must know them; use --epochs")
        made: Method = replace(asked, epochs=self.epochs) if "epochs" in {f.name for f in fields(asked)} else asked
        return made

    @property
    def rungs(self) -> tuple[int, ...]:
        """Epochs of a candidate at each fidelity that the method needs, cheapest first.

        Raises UsageError if there are too few epochs to tell the fidelities apart, or more than the final training has
        that they are the beginning of.
        """
        if not self.needs.searches:
            return ()
        count, apart = self.needs.rungs, self.needs.apart
        found = tuple(round(self.epochs / apart ** (count - 1 - rung)) for rung in range(count))
        if self.epochs < 1 or 0 in found or len(set(found)) < count:
            raise UsageError(
                f"{self.run.config.method.name} judges candidates at {count} lengths of training; "
                f"--epochs {self.epochs} is too short, use {apart ** (count - 1)} or more"
            )
        if self.needs.goes_on and self.epochs > (whole := recipe(self.run).epochs):
            raise UsageError(
                f"{self.run.config.method.name} trains candidates as the found network, on to its end after {whole} "
                f"epochs; --epochs {self.epochs} is more than that"
            )
        return found

    @cached_property
    def engine(self) -> Here:
        """The engine that does the search's work in this process."""
        c = self.run.config
        final = fine_tuning(self.run) if c.training.weights else recipe(self.run)
        candidates = tuple(replace(final, epochs=epochs) for epochs in self.rungs)
        made = Here(
            self.run.images, final, candidates, self.run.space, c.seed, target=scaled_target(self.run),
            whole=whole_weights(self.run), team=self.run.workforce.team, progress=Timely(self.run),
        )  # fmt: skip
        return replace(made, goes_on=True, store=self.run.checkpoints) if self.needs.goes_on else made

    @property
    def accelerator(self) -> torch.device:
        """The torch device that shared weights are trained on."""
        wanted = self.run.config.training.accelerator
        return torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")

    def problem(self, extra: int) -> Problem:
        """What the search is to solve, with a predictor fitted to all that is measured so far;
        `extra` as in `Problem`."""
        run, predictor, limit_ms = self.run, fitted_predictor(self.run), self.run.reached.limit_ms
        profiled = fitted_predictor(run, corrected=False)  # the same in all rounds, so that a replayed history fits
        inside = Inside(run.space, profiled, self._begun_at_ms, allowed(run, corrected=False))
        return Problem(
            run.space, limit_ms - margin_ms(run, predictor, limit_ms), run.config.seed, predictor=predictor,
            feasible=inside, rungs=tuple(epochs / self.epochs for epochs in self.rungs),
            steps_per_epoch=self.steps_per_epoch, accelerator=self.accelerator, held_out=self.held_out,
            precision=run.config.training.precision,
            start=whole_weights(run), extra=extra,
            gather=self.engine.together if run.workforce.team.count > 1 else None,
        )  # fmt: skip

    def _begun_at_ms(self) -> float:
        """The limit at which the search began, on the run's present scale: the same networks stay inside it."""
        journal = self.run.journal
        begun = journal.last("aim") or journal.append("aim", latency_ms=self.run.reached.limit_ms)
        return float(begun["latency_ms"])

    # --- going on

    def go_on(self, extra: int = 0) -> Search:
        """The search after it has done all that its settings ask for, plus `extra` rounds.

        Work that is recorded is not done again. Raises Interrupted if the time limit of the run is reached.
        """
        search = self.method.begin(self.problem(extra))
        if not self.needs.shares:
            return self._sampled(search)
        done = 0
        saved = self.run.checkpoints("search").load()
        if saved:
            done, state = saved
            search.load_state_dict(state["method"])
            for summary in state["epochs"]:  # a kill may have come between checkpoint and journal
                self._record(summary)
        return self._trained(search, done)

    def _trained(self, search: Search, done: int) -> Search:
        """Drive a search with shared weights; its whole state is saved after each epoch, and what it asked to be
        measured since then is known from the journal."""
        run, checkpoints = self.run, self.run.checkpoints("search")
        engine = Remembering(run.workforce.placed(self.engine), self._recall, self._keep, (Price,))
        with run.progress.task("search", search.most_events, done) as task:
            for _, event in drive(search, engine):
                assert isinstance(event, EpochSummary), "shared weights are trained by epochs"
                summary = asdict(event)
                known = [e["summary"] for e in run.journal.all("epoch")]
                checkpoints.save(event.epoch + 1, {"method": search.state_dict(), "epochs": [*known, summary]})
                self._record(summary)
                task.advance(self._note(event))
        return search

    def _sampled(self, search: Search) -> Search:
        """Drive a search whose candidates are trained by themselves; results that the journal has
        are told to it again."""
        run = self.run
        engine = Remembering(run.workforce.placed(self.engine), self._recall, self._keep, (Judge, Price))
        before = len(run.journal.all("trial"))
        with run.progress.task("search", search.most_events, before) as task:
            for number, (_, event) in enumerate(drive(search, engine)):
                assert isinstance(event, Trial), "candidates are judged by themselves"
                if number >= before:
                    self._note_trial(event)
                    task.advance(f"accuracy {event.score:.1%}, {event.latency_ms:.3g} ms")
        return search

    def _note_trial(self, trial: Trial) -> None:
        ms = None if math.isnan(trial.latency_ms) else trial.latency_ms
        genes, key, rung = list(trial.arch.genes), trial.key, trial.rung
        self.run.journal.append("trial", key=key, rung=rung, genes=genes, score=trial.score, latency_ms=ms)

    def _recall(self, work: Work) -> Any:
        known = self.run.journal.last("work", key=work.key)
        if known is None:
            return None
        return [read_cost(cost) for cost in known["result"]] if isinstance(work, Price) else known["result"]

    def _keep(self, work: Work, result: Any) -> None:
        if isinstance(work, Price) and any(isinstance(cost, Failure) for cost in result):
            return  # asked again when the run is resumed
        plain = [cost.to_dict() for cost in result] if isinstance(work, Price) else result
        self.run.journal.append("work", key=work.key, result=plain)

    def _record(self, summary: dict[str, Any]) -> None:
        if not any(e["summary"]["epoch"] == summary["epoch"] for e in self.run.journal.all("epoch")):
            clean = {k: None if v != v else v for k, v in summary.items()}  # NaN is not JSON
            self.run.journal.append("epoch", summary=clean)

    def _note(self, event: EpochSummary) -> str:
        warming = math.isnan(event.latency_ms)
        share = event.latency_ms / self.run.reached.limit_ms
        if math.isnan(event.loss):
            return f"accuracy {event.accuracy:.1%}, latency {share:.0%} of the limit"
        return f"loss {event.loss:.2f}, {'weights only' if warming else f'latency {share:.0%} of the limit'}"


def margin_ms(run: Run, predictor: Predictor, limit_ms: float) -> float:
    """How far below the limit the search aims: the predictor's uncertainty near the limit, and at most a tenth of the
    limit."""
    archs, latency_ms = samples(run)
    nearest = np.abs(latency_ms - limit_ms).argsort()[:NEAREST]
    unsure = predictor.uncertainty(moves.encode(run.space, [archs[i] for i in nearest]))
    return float(min(np.median(unsure), LARGEST_MARGIN * limit_ms))
