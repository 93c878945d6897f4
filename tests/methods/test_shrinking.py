"""A search that shrinks a network step by step: targets, measured steps, proposals."""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.core.errors import LimitError, UsageError
from surgenas.core.work import Epochs, Price
from surgenas.engine.base import drive
from surgenas.methods.base import HoldsWeights, Problem
from surgenas.methods.netadapt import NetAdapt
from surgenas.methods.shrink_path import ShrinkStep
from surgenas.methods.shrinking import LOWER
from surgenas.testing import Planted, ZeroPredictor
from tests.methods.toys import BATCHES, HELD, Chain, Player, Toy, problem_of, thousands

SPACE = Toy()
QUICK = NetAdapt(epochs=1, short_steps=1, step=0.1)


def honest(arch):
    return 1.3 * thousands(SPACE, arch)


def played(problem, measure=honest, method=QUICK):
    """The search after it ended, its iterations, and the engine."""
    search, engine = method.begin(problem), Player(measure)
    steps = [event for _, event in drive(search, engine) if isinstance(event, ShrinkStep)]
    return search, steps, engine


def test_the_plan_counts_the_iterations_that_save_half():
    method = NetAdapt(step=0.1, decay=0.5, iterations=9)
    assert (method.halving, method.reach(9)) == (9, pytest.approx(0.2 * (1 - 0.5**9))), "these never do"
    assert NetAdapt(step=0.25, decay=1.0).halving == 2
    assert NetAdapt(step=0.1, decay=0.9).halving == 7
    assert NetAdapt(step=0.1, decay=0.9).needs(SPACE).judged == 7 * len(SPACE.choices)


def test_never_slower_from_step_to_step_and_inside_at_the_end():
    problem = problem_of(SPACE, 0.5)
    search, steps, engine = played(problem)
    ms = [honest(reached.arch) for reached in search.path]
    assert ms == sorted(ms, reverse=True)
    assert len(set(ms)) == len(ms) > 3
    assert ms[-1] <= problem.limit_ms < ms[-2]
    assert [step.latency_ms for step in steps] == pytest.approx(ms[1:])
    assert [step.before_ms for step in steps] == pytest.approx(ms[:-1])
    assert [step.before_accuracy for step in steps[1:]] == [step.accuracy for step in steps[:-1]]
    assert engine.asked == [reached.arch for reached in search.path], "every step is measured, once"


def test_targets_shrink_and_do_not_go_below_the_limit():
    problem = problem_of(SPACE, 0.5)
    _, steps, _ = played(problem)
    first = honest(SPACE.largest())
    for i, step in enumerate(steps):
        assert step.target_ms == pytest.approx(max(problem.limit_ms, step.before_ms - 0.1 * 0.96**i * first))
        assert step.candidates >= 1


def test_a_step_is_at_least_twice_what_a_measurement_may_be_off_by():
    search = QUICK.begin(problem_of(SPACE, 0.5))
    now_ms = search.ms_of(search.path[0])
    assert search.target_ms(0) == pytest.approx(0.9 * now_ms)
    search.path[0] = replace(search.path[0], doubt=0.08)
    assert search.target_ms(0) == pytest.approx(0.84 * now_ms)


def test_what_measures_no_faster_is_not_taken_and_not_tried_again():
    slow = []

    def measure(arch):
        if arch != SPACE.largest() and not slow:
            slow.append(arch)
        return 100.0 if arch in slow else honest(arch)

    search, steps, engine = played(problem_of(SPACE, 0.5), measure)
    assert [step.accepted for step in steps] == [False] + [True] * (len(steps) - 1)
    assert steps[0].latency_ms == steps[0].before_ms == steps[1].before_ms
    assert steps[0].changed
    assert engine.asked.count(slow[0]) == 1
    assert slow[0] not in [reached.arch for reached in search.path]


def test_what_cannot_be_measured_is_taken_as_predicted():
    problem = problem_of(SPACE, 0.5)
    search, steps, engine = played(problem, lambda arch: None)
    assert thousands(SPACE, search.path[-1].arch) <= problem.limit_ms
    assert all(step.accepted for step in steps)
    assert len(engine.asked) == len(search.path)


def test_where_nothing_is_measured_nothing_is_asked():
    search, steps, engine = played(problem_of(SPACE, 0.5, priced=False))
    assert engine.asked == []
    assert steps[-1].latency_ms == pytest.approx(thousands(SPACE, search.path[-1].arch))


def test_a_limit_that_is_met_already_needs_no_iteration():
    search, steps, _ = played(problem_of(SPACE, 1.4))
    assert steps == []
    assert search.done == 1, "what begins fresh is trained"
    assert search.propose(lambda archs: np.ones(len(archs)), (0.0, 2.0), 1, None) == [SPACE.largest()]


def test_after_a_miss_it_aims_lower():
    problem = problem_of(SPACE, 0.5)
    aims = [QUICK.begin(problem_of(SPACE, 0.5, extra=extra)) for extra in (0, 2)]
    assert [search.aim_ms / problem.limit_ms for search in aims] == pytest.approx([1.0, 1 - 2 * LOWER])
    assert [search.most_events for search in aims] == [7, 9], "as many steps as save half"


def test_the_weights_of_a_step_go_on():
    """The last network's are those that were fine-tuned; what it lost stays as it was when it was lost."""
    problem = problem_of(SPACE, 0.5)
    search, steps, _ = played(problem)
    assert isinstance(search, HoldsWeights)
    last = search.path[-1]
    assert search.judge([last.arch]) == [last.accuracy] == [steps[-1].accuracy]
    network = SPACE.build(last.arch)
    network.load_state_dict(search.weights_of(last.arch))
    trained = QUICK.begin(problem)
    trained.tell(Epochs(0), BATCHES)
    before, after = trained.weights_of(last.arch), search.weights_of(last.arch)
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_proposals_lie_in_the_window_and_differ_from_the_path_in_one_choice():
    problem = problem_of(SPACE, 0.5)
    search, _, _ = played(problem)

    def latency(archs):
        return np.array([honest(arch) for arch in archs])

    last, window = search.path[-1].arch, (0.5 * problem.limit_ms, problem.limit_ms)
    found = search.propose(latency, window, 8, np.random.default_rng(0))
    assert found[0] == last
    assert len({arch.key for arch in found}) == len(found) == 8
    assert all(window[0] <= ms <= window[1] for ms in latency(found))
    scores = search.judge(found[1:])
    assert scores == sorted(scores, reverse=True)
    ends = [moves.indices(SPACE, reached.arch) for reached in search.path[-2:]]
    assert all(min(sum(np.not_equal(moves.indices(SPACE, arch), end)) for end in ends) <= 3 for arch in found)
    above = search.propose(latency, (problem.limit_ms * 1.0001, 2 * problem.limit_ms), 8, np.random.default_rng(0))
    assert last not in above
    assert above
    assert search.propose(latency, (0.0, 1e-6), 8, np.random.default_rng(0)) == []


def test_an_interrupted_search_goes_on_bit_by_bit_also_before_a_step_is_measured():
    problem = problem_of(SPACE, 1.0)  # networks take 1.3 times what is predicted
    whole, steps, _ = played(problem)
    history, search, engine = [], QUICK.begin(problem), Player(honest)
    while asked := search.ask():
        history.append((asked[0], copy.deepcopy(search.state_dict())))
        search.tell(asked[0], engine.perform(asked[0]))
    assert {type(work) for work, _ in history} == {Epochs, Price}
    for work, state in history:
        again = QUICK.begin(problem)
        again.load_state_dict(state)
        assert list(again.ask()) == [work]
        rest = [event for _, event in drive(again, Player(honest)) if isinstance(event, ShrinkStep)]
        assert rest == steps[len(steps) - len(rest) :]
        assert again.path == whole.path
        pairs = zip(whole.supernet.state_dict().items(), again.supernet.state_dict().values(), strict=True)
        assert [name for (name, a), b in pairs if not torch.equal(a, b)] == []


def test_too_few_iterations_for_the_limit_say_so_before_anything_is_trained():
    with pytest.raises(
        UsageError, match=r"iterations 2, step 0\.1, decay 0\.96 save 20% .* asks for 50%: ask for more"
    ):
        NetAdapt(iterations=2, step=0.1).begin(problem_of(SPACE, 0.5))


@pytest.mark.parametrize("held", [None, replace(HELD, images=HELD.images[:20], labels=HELD.labels[:20])])
def test_too_few_images_held_out(held):
    with pytest.raises(
        UsageError, match=r"needs images that its weights are not trained on, and \d+ are too few.*30 or more"
    ):
        QUICK.begin(problem_of(SPACE, 0.5, held_out=held))


def test_a_network_that_cannot_shrink_further_names_the_nearest():
    space = Toy(Chain, multiple=8)
    problem = problem_of(space, 0.02)
    method = NetAdapt(epochs=1, short_steps=0, step=0.5)
    search = method.begin(problem)
    with pytest.raises(LimitError, match=r"no smaller version .* faster than 2\.09 ms, .* the nearest to the limit of"):
        for _ in drive(search, Player(lambda arch: thousands(space, arch))):
            pass


def test_a_space_that_is_not_elastic_is_refused():
    space = Planted()
    with pytest.raises(
        UsageError, match="shared as elastic; space 'planted' shares them as choice; use --space elastic"
    ):
        QUICK.begin(Problem(space, 1.0, 0, predictor=ZeroPredictor(space.costs()), held_out=HELD))


def test_training_before_the_first_iteration_predicts_no_latency():
    search, engine = QUICK.begin(problem_of(SPACE, 0.5)), Player(honest)
    events = [event for (_, event), _ in zip(drive(search, engine), range(2), strict=False)]
    assert math.isnan(events[0].latency_ms)
    assert isinstance(events[1], ShrinkStep)
