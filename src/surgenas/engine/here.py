"""Does a search's work in this process: images from memory, candidates trained by Fabric, costs asked of a target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Shrinks, require
from surgenas.core.cost import Cost, Failure
from surgenas.core.progress import Progress
from surgenas.core.seeds import derive
from surgenas.core.space import Space
from surgenas.core.work import Epochs, Judge, Price, Train, Weights, Work
from surgenas.engine.base import Trained
from surgenas.engine.jobs import begun_network, home_of, job_of, network_of
from surgenas.hardware.target import Target
from surgenas.methods.base import Batches, Problem
from surgenas.methods.shared_weights import Step, SupernetSearch
from surgenas.nn.ranks import Ranks
from surgenas.nn.statistics import CALIBRATION, estimate_statistics
from surgenas.nn.weights import load_weights
from surgenas.tasks.by_class import judge_classes
from surgenas.tasks.classification import predict, score, share_right
from surgenas.tasks.data import Dataset, Images
from surgenas.tasks.misjudged import worst_judged
from surgenas.training.augment import train_batches
from surgenas.training.loop import CheckpointStore, Epoch, Recipe, fit
from surgenas.training.team import Team

TRAINING = "train"
"""Names the random stream of final trainings (core/seeds.py): the same for all, so that they differ in the
architecture alone."""


@dataclass(frozen=True, eq=False)
class Here:
    """An engine that does the work in this process, and trains with all processes of its team.

    recipe: of final trainings. candidates: recipes for judging a candidate, one for each fidelity, the cheapest first.
    goes_on: a candidate is trained by the final recipe instead, for as many of its epochs as the fidelity has, from
    where its training stands.
    space: builds the networks of its architectures; others are built by the space that they name.
    seed: seed of the run.
    target: what costs are asked of.
    whole: weights of the space's largest network, which candidates begin with and final trainings may listen to; None
    for fresh ones.
    store: from the name of a training to its checkpoints, or None to keep none.
    on_epoch: called with the name of a final training and the summary of the epoch, after each of its epochs.
    team: who trains, and on what.
    progress: is asked before each mini-batch whether the work may go on.
    """

    images: Images
    recipe: Recipe
    candidates: tuple[Recipe, ...]
    space: Space
    seed: int
    target: Target | None = None
    whole: Mapping[str, Tensor] | None = None
    store: Callable[[str], CheckpointStore | None] = lambda name: None
    on_epoch: Callable[[str, Epoch], None] = lambda name, epoch: None
    team: Team = field(default_factory=Team)
    progress: Progress = field(default_factory=Progress)
    goes_on: bool = False

    def expect(self, works: Sequence[Work]) -> None:
        """One thing is done at a time."""

    def perform(self, work: Work) -> Any:
        """The result of this work, as `core.work` describes it."""
        match work:
            case Epochs(number):
                return self.batches(number)
            case Judge():
                return self.judge(work)
            case Train():
                return self.train(work)
            case Price(archs, effort):
                assert self.target is not None, "a search that asks for costs has a target"
                jobs = [job_of(arch, self.space) for arch in archs]
                found: list[Cost | Failure] = self.target.price(jobs, effort, seed=self.seed, progress=self.progress)
                return found

    def batches(self, epoch: int) -> Batches:
        """One augmented pass over the images that a search may train on. epoch: counted from 0;
        each has its own order."""
        return self._checked(train_batches(self.images.search, self.recipe.batch, self.seed, epoch))

    def _checked(self, batches: Batches) -> Batches:
        for batch in batches:
            self.progress.check()
            yield batch

    def together(self, search: SupernetSearch, epoch: int) -> Step:
        """Have all processes train an epoch of a search's shared weights, from what these are now; as
        `SupernetSearch.train_epoch`."""
        number, state = search.done, search.state_dict()
        work = partial(
            train_together, method=search.method, state=state, number=number, epoch=epoch, batch=self.recipe.batch,
            seed=self.seed,
        )  # fmt: skip
        return self.team.run(work, self.images, search.problem.portable, leading=search, checked=self._checked)

    def judge(self, work: Judge) -> float:
        """Train a candidate as long as its fidelity says; its score (0 to 1) on the images set aside.

        It begins with its part of the whole network's weights, or with fresh ones."""
        data, aside = self.images.search, self.images.aside
        assert aside is not None, "a search that judges candidates has images held out"
        side, recipe = self._side(work.arch), self.candidates[work.rung]
        build = partial(begun_network, work.arch, self.space, self.whole)
        if self.goes_on:
            train = partial(
                fit_part, recipe=self.recipe, until=recipe.epochs, seed=derive(self.seed, TRAINING),
                teacher=self._teacher(),
            )  # fmt: skip
        else:
            train = partial(fit_part, recipe=recipe, seed=derive(self.seed, "candidate"))
        weights = self.team.run(
            partial(train, part="search", side=side, build=build), self.images, on_batch=self.progress.check,
            checkpoints=self.store(work.name) if self.goes_on else None,
        )  # fmt: skip
        network = build()
        network.load_state_dict(weights)
        return score(network, data.at(side), aside.at(side, data.interpolation))

    def train(self, work: Train) -> Trained:
        """Train a network on all images but the test part, from its newest checkpoint if it has one."""
        side = self._side(work.arch)
        data, fresh = self.images.data.at(side), partial(network_of, work.arch, self.space)
        build = partial(_begun, fresh, work.start, data)
        together = partial(
            fit_part, part="data", side=side, build=fresh, recipe=self.recipe, seed=work.seed, teacher=self._teacher()
        )
        weights = self.team.run(
            together, self.images, build=build, checkpoints=self.store(work.name),
            on_epoch=partial(self.on_epoch, work.name), on_batch=self.progress.check,
        )  # fmt: skip
        network = build()
        network.load_state_dict(weights)
        logits, labels = predict(network, data, data.test), data.test.labels
        said = logits.argmax(1)
        classes = judge_classes(said, labels, data.classes)
        return Trained(weights, share_right(said, labels), classes, worst_judged(logits, labels))

    def _side(self, arch: Architecture) -> int:
        """Height and width of the images that the network of an architecture takes."""
        return home_of(arch, self.space).input_of(arch)[1]

    def _teacher(self) -> nn.Module | None:
        """The whole network, if trainings are to agree with it."""
        if self.whole is None or not self.recipe.distill:
            return None
        return begun_network(require(self.space, Shrinks).largest(), self.space, self.whole).eval()


def _begun(build: Callable[[], nn.Module], start: Weights | None, data: Dataset) -> nn.Module:
    """The network as its training begins; BN statistics of weights that come from a larger network are estimated."""
    network = build()
    if start is None:
        return network
    load_weights(Path(start.file), network, start.digest)
    estimate_statistics(network, data.normalise(data.train.spaced(CALIBRATION).images[:]))
    return network.train()


def fit_part(fabric: Fabric, images: Images, *, part: str, side: int, **how: Any) -> dict[str, Tensor]:
    """As `fit`, on a part of the images, `data` or `search`, at this height and width.

    DDP has all processes begin with the network of the first, so that the others need no weights."""
    data: Dataset = getattr(images, part)
    return fit(fabric, dataset=data.at(side), **how)


# --- a search that several processes train


def train_together(
    fabric: Fabric, images: Images, problem: Problem, *, method: Any, state: Mapping[str, Any], number: int,
    epoch: int, batch: int, seed: int, leading: SupernetSearch | None = None,
    checked: Callable[[Batches], Batches] = lambda batches: batches,
) -> Step:  # fmt: skip
    """What each process does in an epoch of a search: `SupernetSearch.train_epoch` on its slices of the batches.

    number: of the epoch, for the order of its images. leading: the search itself, in the process that has it; the
    others make the same from method, problem and state.
    """
    search = leading or _follower(method, problem, fabric.device)
    if leading is None:
        search.load_state_dict(dict(state))
    ranks = Ranks(fabric.global_rank, fabric.world_size)
    batches = train_batches(images.search, batch, seed, number, rank=ranks.rank, ranks=ranks.count)
    return search.train_epoch(epoch, checked(batches), ranks)


@lru_cache(maxsize=1)
def _follower(method: Any, problem: Problem, device: torch.device) -> SupernetSearch:
    search = method.begin(replace(problem, accelerator=device))
    assert isinstance(search, SupernetSearch), "searches without shared weights train no epochs"
    return search
