"""What did a run decide on its way, from what, and what would somebody pick instead? In sentences, from the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape

from surgenas.core.significance import share_difference, share_interval
from surgenas.core.units import show_ms
from surgenas.runs.asked import CANDIDATES, LEARNED
from surgenas.runs.names import YARDSTICK, is_as_long
from surgenas.runs.story import Story
from surgenas.runs.summary import Network, Summary

SLOWER = 1.05
"""What takes longer than so many times the limit could not be picked."""
LEAST_NATS = 0.05
"""Below this entropy nothing is left to decide."""


def section(summary: Summary, story: Story) -> str:
    """The section of the page; empty where nothing is decided yet."""
    said = "".join(f"<li>{escape(line)}." for line in decisions(summary, story))
    return f"<section><h2>What was decided, and why</h2><ul>{said}</ul></section>" if said else ""


def decisions(summary: Summary, story: Story) -> list[str]:
    """A sentence for each decision that has been made, in their order."""
    parts: tuple[Callable[[Summary, Story], Iterator[str]], ...] = (_limit, _predictor, _search, _found, _instead)
    return [line for part in parts for line in part(summary, story)]


def _limit(summary: Summary, story: Story) -> Iterator[str]:
    (low, high), limit = summary.reachable_ms, summary.limit_ms
    if low is None or high is None or limit is None:
        return
    reach = f"networks of this space take {show_ms(low)} to {show_ms(high)}"
    who = "was asked for" if summary.asked_ms is not None else "was chosen by the run, since none was asked for"
    yield f"The limit of {show_ms(limit)} {who}; {reach}"


def _predictor(summary: Summary, story: Story) -> Iterator[str]:
    found, known = summary.predictor, sum(one.purpose == LEARNED for one in story.asked)
    if not found:
        return
    best = next((score for score in found.scores if score.name == found.chosen), None)
    off = f", which is off by {best.off:.1%} on networks it had not seen" if best and best.off is not None else ""
    yield f"Latency was learned from {known} networks, by the predictor {found.chosen}{off} ({found.why})"


def _search(summary: Summary, story: Story) -> Iterator[str]:
    if story.trials:
        best = max(trial["score"] for trial in story.trials)
        yield f"The method {story.method} judged {len(story.trials)} candidates on images held out, the best {best:.1%}"
    elif tried := [e for e in story.epochs if e.get("before_ms") is not None]:
        kept = sum(bool(e["accepted"]) for e in tried)
        yield f"The method {story.method} made the whole network smaller in {kept} steps, of {len(tried)} that it tried"
    elif story.epochs:
        yield f"The method {story.method} searched for {len(story.epochs)} epochs{_undecided(story)}"
    elif story.rounds is not None:
        why = "the whole network meets the limit" if summary.started else "all of the time was left for training"
        yield f"Nothing was searched: {why}"


def _undecided(story: Story) -> str:
    """How sure the search was at its end, for methods whose operators have probabilities."""
    first, last = (story.epochs[i].get("entropy") for i in (0, -1))
    if first is None or last is None or first <= 0:
        return ""
    if last < LEAST_NATS:
        return "; at the end every choice was decided"
    return (
        f"; a choice had {first:.2f} nats of entropy after the first epoch and {last:.2f} at the end (0 would be "
        "decided), and of what was left open the likeliest inside the limit were candidates"
    )


def _found(summary: Summary, story: Story) -> Iterator[str]:
    searched = story.epochs or story.trials
    if story.rounds is None or summary.limit_ms is None or (summary.started and not searched):
        return
    count = sum(one.purpose == CANDIDATES for one in story.asked)
    turns = f"{count} candidates in {story.rounds} round{'s' if story.rounds > 1 else ''}"
    verb = "estimated" if story.is_estimated else "measured"
    preferred = "the one that the search prefers" if story.epochs else "the first one drawn"
    why = "the most accurate" if story.trials else preferred
    yield f"{turns} were {verb}; the found network is {why} of those that stay inside the limit"


def _instead(summary: Summary, story: Story) -> Iterator[str]:
    """The best of what needs no search, beside the found network."""
    images = story.data.get("test")
    others = [n for n in summary.beside if n not in summary.random]
    longest_ms = SLOWER * max(summary.limit_ms or 0.0, summary.latency.ms or 0.0)
    known = [n for n in others if n.accuracy is not None and (n.latency_ms or 0.0) <= longest_ms]
    if not known or summary.accuracy.test is None or not images:
        return
    best = max(known, key=lambda n: n.accuracy or 0.0)
    at = f" at {best.to_found.ratio:.2f} x its latency" if best.to_found else ""
    yield f"{_who(best)}{at}: {_ahead(summary, best, images)}"


def _who(network: Network) -> str:
    kind = "the nearest of its sizes" if network.name == YARDSTICK else "trained alike"
    if is_as_long(network.name):
        kind = "trained for as long as search and training took"
    return f"Without a search one would pick {network.name} ({kind}): {network.accuracy:.1%}"


def _ahead(summary: Summary, other: Network, images: int) -> str:
    found, beside = summary.accuracy.test or 0.0, other.accuracy or 0.0
    pairs = ((share, share_interval(share, images)) for share in (found, beside))
    seen = share_difference(*pairs).scale_by(100)
    noise = " and may be chance" if seen.low <= 0 <= seen.high else ""
    side = "ahead" if seen.value >= 0 else "behind"
    return (
        f"the found network is {abs(seen.value):.1f} points {side}, which on {images} test images means "
        f"{seen.low:+.1f} to {seen.high:+.1f}{noise}"
    )
