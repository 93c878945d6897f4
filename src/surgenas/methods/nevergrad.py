"""Nevergrad's optimizers (Rapin & Teytaud 2018), and others with the same ask and tell interface, on our spaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from surgenas.core.architecture import Architecture
from surgenas.core.errors import EnvironmentFault, UsageError
from surgenas.core.space import Space
from surgenas.core.trial import Trial
from surgenas.methods.base import allow_all
from surgenas.methods.foreign import ForeignLoop
from surgenas.methods.sampling import Feasible, Sampling


@dataclass(frozen=True, kw_only=True)
class NevergradSearch(Sampling):
    """A search by an optimizer of Nevergrad.

    optimizer: a name of Nevergrad's registry.
    """

    name: ClassVar[str] = "nevergrad"
    optimizer: str = "DiscreteOnePlusOne"

    def __post_init__(self) -> None:
        """Raises EnvironmentFault if Nevergrad is not installed, UsageError if its registry has no such name."""
        if self.optimizer not in _nevergrad().optimizers.registry:
            raise UsageError(
                f"--set optimizer={self.optimizer}: Nevergrad has no optimizer of that name; see its registry"
            )

    def start(self, space: Space, rng: np.random.Generator, feasible: Feasible = allow_all) -> ForeignLoop:
        """A new optimizer."""
        nevergrad = _nevergrad()
        free = [choice.options for choice in space.choices if len(choice.options) > 1]  # 1 option: it divides by 0
        genes = nevergrad.p.Tuple(*map(nevergrad.p.Choice, free))
        genes.random_state.seed(int(rng.integers(2**31)))
        made = nevergrad.optimizers.registry[self.optimizer](parametrization=genes, budget=None, num_workers=1)
        return NevergradLoop(space, rng, feasible, made)


class NevergradLoop(ForeignLoop):
    """An optimizer of Nevergrad behind `ask` and `tell`.

    optimizer: its `ask()` returns a candidate whose `value` holds a gene for each choice with more than one option; its
    `tell(candidate, loss)` takes a value to be minimised; its `parametrization.spawn_child(new_value)` makes a
    candidate of given genes.
    """

    def __init__(self, space: Space, rng: np.random.Generator, feasible: Feasible, optimizer: Any) -> None:
        super().__init__(space, rng, feasible)
        self.optimizer = optimizer

    def propose(self) -> tuple[Any, tuple[str, ...]]:
        candidate = self.optimizer.ask()
        values = iter(candidate.value)
        genes = (c.options[0] if len(c.options) == 1 else next(values) for c in self.space.choices)
        return candidate, tuple(genes)

    def suggest(self, arch: Architecture) -> Any:
        pairs = zip(arch.genes, self.space.choices, strict=True)
        value = tuple(gene for gene, choice in pairs if len(choice.options) > 1)
        return self.optimizer.parametrization.spawn_child(new_value=value)

    def answer(self, token: Any, trial: Trial) -> None:
        self.optimizer.tell(token, -trial.score)


def _nevergrad() -> Any:
    """The package, imported when it is needed."""
    try:
        import nevergrad
    except ImportError as error:
        raise EnvironmentFault("Nevergrad is not installed: pip install 'surgenas[lab]'") from error
    return nevergrad
