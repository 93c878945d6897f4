"""How is a network trained from scratch? With timm's optimizer, schedule and EMA on Lightning Fabric."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from lightning_fabric import Fabric
from timm.optim import create_optimizer_v2
from timm.scheduler import create_scheduler_v2
from timm.utils import ModelEmaV3
from torch import Tensor, nn

from surgenas.core.errors import SurgenasError
from surgenas.core.seeds import derive
from surgenas.nn import Precision
from surgenas.nn.precision import in_precision
from surgenas.nn.quick import quicken
from surgenas.nn.ranks import Ranks
from surgenas.nn.synchronised import synchronised
from surgenas.tasks.data import Dataset
from surgenas.training.augment import steps_per_epoch, train_batches
from surgenas.training.regularize import both_losses, kept, regularize, set_drop_path


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How networks are trained: the same for the found network and for everything that it is compared with.

    distill: share of the loss that is to agree with a teacher (Hinton et al., arXiv 1503.02531), if there is one.
    cutout: height and width in pixels of a square that is left out of each image. drop_path: chance with which a path
    is dropped in the last epoch; it grows from 0. auxiliary: share with which a second classifier's loss is added.
    precision: as of `nn.precision.in_precision`.
    """

    epochs: int
    batch: int = 64
    optimizer: str = "sgd"
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 4e-5
    warmup: float = 0.1
    label_smoothing: float = 0.1
    clip: float = 5.0
    ema: float = 0.998
    distill: float = 0.0
    cutout: int = 0
    drop_path: float = 0.0
    auxiliary: float = 0.0
    precision: Precision = "auto"


class CheckpointStore(Protocol):
    """Where the training loop keeps its state after each epoch; `runs.checkpoint` has one."""

    def save(self, number: int, state: dict[str, Any]) -> None: ...
    def load(self) -> tuple[int, dict[str, Any]] | None: ...


@dataclass(frozen=True)
class Epoch:
    """What one epoch of training reached, on augmented training images."""

    epoch: int
    loss: float
    accuracy: float


def fit(
    fabric: Fabric,
    build: Callable[[], nn.Module],
    dataset: Dataset,
    recipe: Recipe,
    *,
    seed: int,
    checkpoints: CheckpointStore | None = None,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
    on_batch: Callable[[], None] = lambda: None,
    teacher: nn.Module | None = None,
    until: int | None = None,
) -> dict[str, Tensor]:
    """Train a network by a recipe, and return the moving average of its weights, on the CPU.

    teacher: a network of the same classes, in eval mode, that the recipe may ask to agree with. until: stop after so
    many of the recipe's epochs, to go on later from the checkpoint; None for all.

    Several processes that call it together train one network, as one process would (docs/processes.md); checkpoints are
    of the first of them, and so are `on_epoch` and `on_batch` where they are told something.

    Training goes on from the newest checkpoint, if there is one, and saves one after every epoch. Raises SurgenasError
    if the loss becomes NaN or infinite, UsageError if the network lacks what the recipe asks for.
    """
    torch.manual_seed(derive(seed, "init"))
    network = quicken(build())
    regularize(network, drop_path=recipe.drop_path, auxiliary=recipe.auxiliary)
    network.to(memory_format=torch.channels_last)
    steps = steps_per_epoch(dataset, recipe.batch)
    optimizer = create_optimizer_v2(
        network, opt=recipe.optimizer, lr=recipe.lr, weight_decay=recipe.weight_decay, momentum=recipe.momentum
    )
    schedule, _ = create_scheduler_v2(
        optimizer,
        sched="cosine",
        num_epochs=recipe.epochs,
        warmup_epochs=round(recipe.epochs * recipe.warmup),
        warmup_lr=recipe.lr / 20,
        warmup_prefix=True,
        step_on_epochs=False,
        updates_per_epoch=steps,
    )
    average = ModelEmaV3(network, decay=recipe.ema, use_warmup=True, foreach=False)
    first = 0
    saved = fabric.broadcast(checkpoints.load() if checkpoints else None)
    if saved:
        first, state = saved
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        average.module.load_state_dict(state["average"])
    model, optimizer = fabric.setup(network, optimizer)
    average.to(fabric.device)
    criterion = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
    ranks = Ranks(fabric.global_rank, fabric.world_size)
    if teacher is not None:
        teacher.to(fabric.device)
    for epoch in range(first, recipe.epochs if until is None else until):
        torch.manual_seed(derive(seed, "train-epoch", epoch, 0))
        model.train()
        if recipe.drop_path:
            set_drop_path(network, recipe.drop_path * epoch / recipe.epochs)
        sums = torch.zeros(3, dtype=torch.float64, device=fabric.device)  # of losses, of right answers, of images
        batches = train_batches(
            dataset, recipe.batch, seed, epoch, rank=ranks.rank, ranks=ranks.count, cutout=recipe.cutout,
            device=fabric.device,
        )  # fmt: skip
        for i, (images, labels) in enumerate(batches):
            on_batch()
            schedule.step_update(epoch * steps + i)
            optimizer.zero_grad()
            here = ranks.of_batch(len(labels))
            with synchronised(here), in_precision(recipe.precision, fabric.device):
                said = model(images)
                logits = said if isinstance(said, Tensor) else said[0]
                loss = both_losses(criterion, said, labels, recipe.auxiliary)
                if teacher is not None and recipe.distill:
                    loss = torch.lerp(loss, _disagreement(logits, teacher, images), recipe.distill)
            fabric.backward(here.weighed(loss) * ranks.count)  # DDP takes the mean over processes
            fabric.clip_gradients(model, optimizer, max_norm=recipe.clip, error_if_nonfinite=False)
            optimizer.step()
            average.update(network, step=epoch * steps + i)
            right = (logits.detach().argmax(1) == labels).sum()
            sums += torch.stack([loss.detach().double() * len(labels), right, torch.full_like(right, len(labels))])
        ranks.sum_([sums])
        if not math.isfinite(float(sums[0])):
            raise SurgenasError(
                f"the training diverged in epoch {epoch + 1} (its loss is {float(sums[0])}); try a larger --batch"
            )
        if checkpoints and fabric.is_global_zero:
            state = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
            checkpoints.save(epoch + 1, {**state, "average": average.module.state_dict()})
        if fabric.is_global_zero:
            on_epoch(Epoch(epoch, float(sums[0] / sums[2]), float(sums[1] / sums[2])))
    return {name: value.detach().cpu() for name, value in kept(average.module.state_dict()).items()}


def _disagreement(logits: Tensor, teacher: nn.Module, images: Tensor) -> Tensor:
    """The cross-entropy of what the network says with what the teacher says."""
    with torch.no_grad():
        wanted = teacher(images).softmax(dim=1)
    return nn.functional.cross_entropy(logits, wanted)
