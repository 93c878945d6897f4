"""Evolution: it improves, stays inside the limit, never judges twice, and ends where there is little to find."""

from __future__ import annotations

import numpy as np
import pytest

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.core.trial import Trial
from surgenas.methods.evolution import Evolution, Generations, ask, evolve
from surgenas.spaces.operators import Shuffle
from surgenas.spaces.restricted import Restricted

SPACE = Shuffle(layout="small", resolution=16, classes=10)
MACS = SPACE.costs().macs
TARGET = moves.sample(SPACE, np.random.default_rng(99))


def cost(archs):
    return (moves.encode(SPACE, archs) * MACS).sum((1, 2))


def judge(archs):
    return [sum(a == b for a, b in zip(arch.genes, TARGET.genes, strict=True)) for arch in archs]


def anything(archs):
    return np.ones(len(archs), dtype=bool)


def below(limit):
    return lambda archs: cost(archs) <= limit


def test_it_finds_the_best_and_its_generations_are_new():
    asked = []

    def listening(archs):
        asked.extend(moves.canonical_key(SPACE, arch) for arch in archs)
        return judge(archs)

    found = evolve(SPACE, listening, Evolution(), anything, np.random.default_rng(0))
    assert found[0].score >= 9, "of eleven genes; chance finds six in a thousand draws"
    assert found == sorted(found, key=lambda trial: -trial.score)
    assert len(asked) == len(set(asked)) == len(found) == 20 * 50


def test_it_stays_inside_a_hard_limit():
    limit = np.quantile(cost([moves.sample(SPACE, np.random.default_rng(i)) for i in range(300)]), 0.1)
    found = evolve(SPACE, judge, Evolution(generations=4), below(limit), np.random.default_rng(0))
    assert (cost([trial.arch for trial in found]) <= limit).all()
    assert len(found) == 200


def test_a_generation_is_a_function_of_history_and_seed():
    history = [Trial.of(SPACE, TARGET, 11.0)]
    first, again = (ask(SPACE, history, Evolution(), anything, np.random.default_rng(5)) for _ in range(2))
    assert first == again
    assert TARGET not in first


@pytest.mark.slow
def test_a_handful_of_feasible_architectures_are_all_found_and_then_it_ends():
    handful = [moves.decode(SPACE, -MACS)]
    handful += moves.neighbours(SPACE, handful[0])[:4]
    calls = []

    def feasible(archs):
        calls.append(len(archs))
        return np.array([arch in handful for arch in archs])

    found = evolve(SPACE, judge, Evolution(), feasible, np.random.default_rng(0), seeds=handful[:1])
    assert {trial.arch for trial in found} == set(handful)
    assert found[0].score == max(judge(handful))
    assert len(calls) < 500


def test_nothing_feasible_is_an_empty_answer():
    nothing = evolve(
        SPACE, judge, Evolution(), lambda archs: np.zeros(len(archs), dtype=bool), np.random.default_rng(0)
    )
    assert nothing == []


def test_what_is_given_is_left_alone():
    given = {0: TARGET.genes[0], 5: "x"}
    part = Restricted(SPACE, given)
    assert moves.size(part) == 4 ** (len(SPACE.choices) - 2)
    found = evolve(part, judge, Evolution(generations=3), anything, np.random.default_rng(0))
    assert all(trial.arch.genes[layer] == gene for trial in found for layer, gene in given.items())
    assert SPACE.check(found[0].arch) == found[0].arch


def test_in_a_loop_it_asks_for_a_generation_at_a_time(go):
    history = go(Generations(trials=40, batch=10), 40, judge=lambda arch: judge([arch])[0], space=SPACE)
    assert len({trial.key for trial in history}) == 40
    again = Generations(trials=40).ask(SPACE, history[:10], 50, np.random.default_rng(3))
    assert len(again) == 10, "a quarter of the trials"
    assert not {trial.arch for trial in history[:10]} & set(again)


@pytest.mark.parametrize("wrong", [{"population": 0}, {"mutation_rate": 0.0}, {"generations": 0}])
def test_settings_that_make_no_evolution(wrong):
    with pytest.raises(UsageError, match="1 or more"):
        Evolution(**wrong)
