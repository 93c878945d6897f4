"""The text that commands print after a comparison of searches."""

from __future__ import annotations

from textwrap import fill

from rich.markup import escape
from rich.table import Table

from surgenas.core.significance import Verdict
from surgenas.core.units import show_ms, show_seconds
from surgenas.report.words import WIDTH, draw
from surgenas.studies.answer import Answers
from surgenas.studies.bench import BenchResult
from surgenas.studies.compare import SideBySide
from surgenas.studies.improvement import Group, Improvement

UNEQUAL = 1.1
"""Runs of which one passed so many times the images of another are not compared at equal cost."""


def improvement_table(found: Improvement) -> str:
    """Relative improvements with their intervals, the means behind them, and what the searches took."""
    table = Table("data", "method", "limit", "found", "against random", "", "RI", "95 % interval", "verdict", box=None)
    for row in found.rows:
        first = (row.data, row.method, show_ms(row.limit_ms), _mean(row.found))
        table.add_row(*first, "of any latency", _mean(row.random), *_improved(row.ri))
        if row.ri_at_equal_latency:
            equal = row.random_at_equal_latency
            table.add_row(*[""] * 4, "of equal latency", _mean(equal), *_improved(row.ri_at_equal_latency))
        if row.ri_at_equal_cost:
            as_long = row.random_at_equal_cost
            table.add_row(*[""] * 4, "at equal total cost", _mean(as_long), *_improved(row.ri_at_equal_cost))
    cost = [
        f"{row.data}, {row.method}: a search takes {show_seconds(row.search_seconds)}, as long as "
        f"{row.search_in_trainings:.1f} trainings; with training it passes as many images as "
        f"{row.cost_in_trainings:.1f} trainings"
        for row in found.rows
    ]
    notes = [
        "means of test accuracy, in brackets of how many; RI = 100 (found - random) / random, in %",
        "random: of the method's own space, trained alike; at equal total cost: for as many image passes as search and "
        "training took. Searches are timed with measuring and predicting:",
    ]
    missed = [f"missing: {folder}: {why}" for folder, why in found.missed.items()]
    return "\n".join([draw(table), *notes, *cost, *missed])


def _mean(group: Group) -> str:
    return f"{group.mean:.2f} % ({group.n})" if group.n else "none"


def _improved(ri: Verdict) -> tuple[str, str, str]:
    interval = f"{ri.low:+.2f} to {ri.high:+.2f}" if ri.low is not None else "-"
    return f"{ri.value:+.2f}", interval, ri.said


BENCH_HEAD = ("method", "regret at the end", "queries to optimum", "reached", "than random", "hypervolume", "s / 1000")
"""Titles of the columns of `bench_rows`."""


def bench_table(found: BenchResult) -> str:
    """A row for each method, with notes on how to read the table."""
    table = Table(*BENCH_HEAD, box=None)
    for row in bench_rows(found):
        table.add_row(*row)
    lines = [draw(table), *(fill(note, WIDTH) for note in bench_notes(found))]
    return "\n".join([*lines, f"drawn in {found.report}"] if found.report else lines)


def bench_rows(found: BenchResult) -> list[tuple[str, ...]]:
    """The cells of each method, under the titles BENCH_HEAD."""
    rows: list[tuple[str, ...]] = []
    for m in found.methods:
        final, needed, than = m.final_regret, m.queries_to_optimum, m.better_than_random
        volume = "-" if m.hypervolume is None else f"{m.hypervolume:.4f}"
        rows.append((
            m.method, f"{_points(final.median)} ({_points(final.low)} to {_points(final.high)})",
            f"{_queries(needed.median)} ({_queries(needed.low)} to {_queries(needed.high)})",
            f"{m.reached:.0%}", "" if than is None else than.said, volume, f"{m.seconds_per_1000_queries:.2f}",
        ))  # fmt: skip
    return rows


def bench_notes(found: BenchResult) -> list[str]:
    """What was searched, and how the table is to be read, a note in each string."""
    where = f"{found.networks} networks of {found.space}"
    limit = f" within {show_ms(found.limit_ms)} ({found.latency})" if found.limit_ms else ""
    steers = (
        f"searching on {found.test} itself, which nobody can who has no table"
        if found.steered_by_test
        else f"{found.validation} steers, {found.test} is reported; the best by the former has a regret of "
        f"{found.regret_of_best_validation:.2f}"
    )
    return [
        f"{where}{limit}; optimum {found.optimum:.2f}; {steers}",
        f"medians over {found.seeds} seeds (quartiles), {found.budget} queries; than random: regret at the end, "
        "95 % interval of the difference of means; - where the optimum was not reached",
        "hypervolume: of accuracy and latency, 1 is all there is; s / 1000: seconds that 1000 queries take the method",
    ]


def comparison_table(found: SideBySide) -> str:
    """The runs, and the difference of each to the most accurate."""
    table = Table(
        "run", "method", "seed", "test accuracy", "latency", "grade", "limit", "images passed", "took", box=None
    )
    for row in found.runs:
        low, high = row.accuracy_interval
        table.add_row(
            escape(row.name), row.method, str(row.seed), f"{row.accuracy:.2%} ({low:.1%} to {high:.1%})",
            show_ms(row.latency_ms), row.grade or "-", show_ms(row.limit_ms),
            "-" if row.passes is None else f"{row.passes:,}", show_seconds(row.seconds),
        )  # fmt: skip
    lines = [
        f"{d.name} against {d.against}: {d.value:+.2f} points, "
        + (f"95 % interval {d.low:+.2f} to {d.high:+.2f}: {d.said}" if d.low is not None else d.said)
        for d in found.differences
    ]
    devices = {row.device for row in found.runs}
    passes = [row.passes for row in found.runs if row.passes]
    if passes and max(passes) > UNEQUAL * min(passes):
        lines.append(
            f"not at equal total cost: one run passed {max(passes) / min(passes):.1f} times the images of another"
        )
    note = [] if len(devices) == 1 else [f"latencies are of {len(devices)} devices and do not compare"]
    judged = f"{found.data}: judged by {found.judged_by}; {found.test_images} test images"
    return "\n".join([draw(table), *lines, judged, *note])


def _points(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _queries(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def answers_text(found: Answers) -> str:
    """Where predicted latencies are, and by what they were predicted."""
    lines = [f"{column}: by {how.predictor} ({how.why})" for column, how in found.chosen.items()]
    told = f"{found.architectures} architectures, learned from {found.learned} measurements"
    return "\n".join([f"wrote {found.out}: {told}", *lines])
