"""Does a search's work in this process: images from memory, candidates trained by Fabric, costs asked of a target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

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
from surgenas.methods.base import Batches
from surgenas.nn.statistics import CALIBRATION, estimate_statistics
from surgenas.nn.weights import load_weights
from surgenas.tasks.by_class import judge_classes
from surgenas.tasks.classification import predict, score, share_right
from surgenas.tasks.data import Dataset, Images
from surgenas.tasks.misjudged import worst_judged
from surgenas.training.augment import train_batches
from surgenas.training.loop import CheckpointStore, Epoch, Recipe, fit, make_fabric
from surgenas.training.processes import launch


@dataclass(frozen=True, eq=False)
class Here:
    """An engine that does the work in this process.

    recipe: of final trainings. candidates: recipes for judging a candidate, one for each fidelity, the cheapest first.
    space: builds the networks of its architectures; others are built by the space that they name.
    seed: seed of the run.
    target: what costs are asked of.
    whole: weights of the space's largest network, which candidates begin with and final trainings may listen to; None
    for fresh ones.
    store: from the name of a training to its checkpoints, or None to keep none.
    on_epoch: called with the name of a final training and the summary of the epoch, after each of its epochs.
    accelerator: where networks are trained: auto, cpu or cuda. processes: how many train a final network together
    (DDP).
    progress: is asked before each mini-batch whether the work may go on; several processes do not ask.
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
    accelerator: str = "auto"
    processes: int = 1
    progress: Progress = field(default_factory=Progress)

    def perform(self, work: Work) -> Any:
        """The result of this work, as `core.work` describes it."""
        match work:
            case Epochs(number):
                return self.batches(number)
            case Judge(arch, rung):
                return self.judge(arch, rung)
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
        for batch in train_batches(self.images.search, self.recipe.batch, self.seed, epoch):
            self.progress.check()
            yield batch

    def judge(self, arch: Architecture, rung: int) -> float:
        """Train a candidate by the recipe of this fidelity; its score (0 to 1) on the images set aside.

        It begins with its part of the whole network's weights, or with fresh ones."""
        data, aside = self.images.search, self.images.aside
        assert aside is not None, "a search that judges candidates has images held out"
        build, seed = partial(begun_network, arch, self.space, self.whole), derive(self.seed, "candidate")
        side = self._side(arch)
        data, aside = data.at(side), aside.at(side, data.interpolation)
        fabric, recipe = make_fabric(self.accelerator, 1), self.candidates[rung]
        weights = fit(fabric, build, data, recipe, seed=seed, on_batch=self.progress.check)
        network = build()
        network.load_state_dict(weights)
        return score(network, data, aside)

    def train(self, work: Train) -> Trained:
        """Train a network on all images but the test part, from its newest checkpoint if it has one."""
        checkpoints = self.store(work.name)
        data = self.images.data.at(self._side(work.arch))
        build = partial(_begun, partial(network_of, work.arch, self.space), work.start, data)
        if self.processes > 1:
            assert checkpoints is not None, "what several processes train comes back by their checkpoints"
            # arguments are bound, not passed: Fabric would try to assign to the fields of our frozen values
            rank = partial(
                _on_rank, build=build, data=data, recipe=self.recipe, seed=work.seed, checkpoints=checkpoints,
                teacher=self._teacher(),
            )  # fmt: skip
            launch(make_fabric(self.accelerator, self.processes), rank)
        # after several processes this reads their last checkpoint: tensors do not outlive the process that returns them
        weights = fit(
            make_fabric(self.accelerator, 1), build, data, self.recipe, seed=work.seed, checkpoints=checkpoints,
            on_epoch=partial(self.on_epoch, work.name), on_batch=self.progress.check, teacher=self._teacher(),
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


def _on_rank(
    fabric: Fabric,
    *,
    build: Callable[[], nn.Module],
    data: Dataset,
    recipe: Recipe,
    seed: int,
    checkpoints: CheckpointStore | None,
    teacher: nn.Module | None,
) -> None:
    fit(fabric, build, data, recipe, seed=seed, checkpoints=checkpoints, teacher=teacher)
