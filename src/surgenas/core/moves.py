"""Everything that can be done with architectures, derived once from a space's declared choices.

Randomness comes from a numpy Generator that the caller owns; nothing here keeps state.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from surgenas.core.architecture import Architecture
from surgenas.core.errors import UsageError
from surgenas.core.space import Floats, Space


def size(space: Space) -> int:
    """The number of architectures of a space; those that are the same network count separately."""
    return math.prod(len(choice.options) for choice in space.choices)


def enumerate_all(space: Space) -> Iterator[Architecture]:
    """Every architecture of a space, the last choice changing first."""
    options = [choice.options for choice in space.choices]
    return (space.architecture(genes) for genes in itertools.product(*options))


def sample(space: Space, rng: np.random.Generator) -> Architecture:
    """Draw one architecture, each gene uniformly from its choice's options."""
    return space.architecture(tuple(_pick(choice.options, rng) for choice in space.choices))


def sample_many(space: Space, count: int, rng: np.random.Generator) -> list[Architecture]:
    """Draw `count` architectures as `sample` does, but all at once: a million take seconds."""
    options = [choice.options for choice in space.choices]
    drawn_NL = rng.integers(0, [len(names) for names in options], size=(count, len(options)))
    columns = [np.array(names, dtype=object)[drawn_N] for names, drawn_N in zip(options, drawn_NL.T, strict=True)]
    spec = space.spec
    return [Architecture(spec, genes) for genes in zip(*columns, strict=True)]


def sample_skewed(space: Space, rng: np.random.Generator, concentration: float = 0.7) -> Architecture:
    """Draw one architecture whose operators follow a preference that is drawn for it alone.

    Uniform samples crowd around the mean cost (law of large numbers); these spread over the whole range, which
    is what a predictor must learn from. Choices with equally many options share the preference.
    """
    sizes = [len(choice.options) for choice in space.choices]
    sums = {n: rng.dirichlet([concentration] * n).cumsum() for n in set(sizes)}
    taste = {n: cumulated / cumulated[-1] for n, cumulated in sums.items()}
    draws = rng.random(len(sizes))  # so rng.choice(n, p=...) draws, option by option, and takes five times as long
    positions = (int(taste[n].searchsorted(draw, side="right")) for n, draw in zip(sizes, draws, strict=True))
    return space.architecture(tuple(c.options[i] for c, i in zip(space.choices, positions, strict=True)))


def uniform_architecture(space: Space, option: str) -> Architecture:
    """The architecture that takes the same option at every choice."""
    return space.architecture(tuple(option for _ in space.choices))


def mutate(space: Space, arch: Architecture, rng: np.random.Generator) -> Architecture:
    """Change exactly one choice; which one, and to what other option, is drawn uniformly.

    Raises UsageError for a space with a single architecture.
    """
    places = [i for i, choice in enumerate(space.choices) if len(choice.options) > 1]
    if not places:
        raise UsageError(f"{space.spec} has a single architecture; nothing can be mutated")
    place = places[int(rng.integers(len(places)))]
    others = [option for option in space.choices[place].options if option != arch.genes[place]]
    return _replace(arch, place, _pick(others, rng))


def mutate_each(space: Space, arch: Architecture, rate: float, rng: np.random.Generator) -> Architecture:
    """Draw each gene anew with probability `rate`; the new one may be the old one."""
    pairs = zip(arch.genes, space.choices, strict=True)
    return space.architecture(tuple(_pick(c.options, rng) if rng.random() < rate else gene for gene, c in pairs))


def crossover(space: Space, left: Architecture, right: Architecture, rng: np.random.Generator) -> Architecture:
    """Take each gene from one of the two parents, with equal chance."""
    pairs = zip(left.genes, right.genes, strict=True)
    return space.architecture(tuple(_pick(pair, rng) for pair in pairs))


def neighbours(space: Space, arch: Architecture) -> list[Architecture]:
    """Every architecture that differs from this one in exactly one choice."""
    return [
        _replace(arch, place, option)
        for place, choice in enumerate(space.choices)
        for option in choice.options
        if option != arch.genes[place]
    ]


def indices(space: Space, arch: Architecture) -> tuple[int, ...]:
    """The position of each gene among the options of its choice, counted from 0."""
    return tuple(choice.options.index(gene) for choice, gene in zip(space.choices, arch.genes, strict=True))


def from_indices(space: Space, positions: Sequence[int]) -> Architecture:
    """The architecture whose genes stand at these positions: the inverse of `indices`."""
    pairs = zip(space.choices, positions, strict=True)
    return space.architecture(tuple(choice.options[int(i)] for choice, i in pairs))


def path_of(space: Space, arch: Architecture) -> tuple[int, ...]:
    """The position of the operator that runs in each row of a network's code, counted from 0."""
    return tuple(space.paths(np.array([indices(space, arch)]))[0].tolist())


def taken_in(space: Space, arch: Architecture, part: str) -> str:
    """What an architecture takes in a part of its network: the operators of the rows of that name or below it; "fixed"
    if there are none."""
    pairs = zip(space.rows, path_of(space, arch), strict=True)
    return "-".join(row.options[k] for row, k in pairs if f"{row.name}.".startswith(f"{part}.")) or "fixed"


def encode(space: Space, archs: Sequence[Architecture]) -> Floats:
    """One-hot codes of N architectures, (N, L, K): L rows, K the largest number of operators of any row.

    Where a row has fewer operators, the rest of it stays 0.
    """
    L, K = space.offered.shape
    if not archs:
        return np.zeros((0, L, K))
    paths_NL = space.paths(np.array([indices(space, arch) for arch in archs]))
    return np.eye(K)[paths_NL]


def decode(space: Space, code: Floats) -> Architecture:
    """The architecture that scores (L, K) of operators speak for. On a one-hot code it is the inverse of `encode`."""
    return decode_many(space, code[None])[0]


def decode_many(space: Space, code_NLK: Floats) -> list[Architecture]:
    """What `decode` makes of each of N scores (L, K), all at once."""
    options = [choice.options for choice in space.choices]
    spec = space.spec
    return [
        Architecture(spec, tuple(o[k] for o, k in zip(options, row, strict=True)))
        for row in space.best(code_NLK).tolist()
    ]


def nearest_codes(space: Space, scores_NLK: Floats) -> Floats:
    """The one-hot codes (N, L, K) of the networks that N scores (L, K) of operators speak for."""
    codes: Floats = np.eye(space.offered.shape[1])[space.paths(space.best(scores_NLK))]
    return codes


def canonical_key(space: Space, arch: Architecture) -> str:
    """The key of the network: equal for all architectures of a space that build the same network."""
    return space.canonical(space.check(arch)).key


def _replace(arch: Architecture, place: int, option: str) -> Architecture:
    return Architecture(arch.space, (*arch.genes[:place], option, *arch.genes[place + 1 :]))


def _pick(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]
