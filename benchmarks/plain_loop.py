"""How fast is a final training beside a plain PyTorch loop on the same network, images and batch?

    python benchmarks/plain_loop.py FOLDER [--sides 64 128] [--rounds 3] [--accuracy SEEDS --epochs 20] [--keep]

FOLDER has train/ and val/ with a folder for each class. The plain loop is what a tutorial writes: torchvision's
ImageFolder with RandomResizedCrop, flips and normalization in two workers, SGD with momentum, no average of weights;
in torch's usual memory format, and in channels_last. Each round trains one epoch in each of the three ways, workers
started before. --accuracy: on val/, after so many epochs with each of so many seeds, both with a cosine.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from common import finish, spread
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from surgenas.core.progress import Progress
from surgenas.spaces import make_space
from surgenas.tasks.classification import score
from surgenas.tasks.data import Dataset, load_data
from surgenas.training.allocator import keep_freed_memory
from surgenas.training.fabric import make_fabric
from surgenas.training.loop import Recipe, fit

BATCH, WORKERS = 64, 2


def network(side: int, classes: int) -> Callable[[], nn.Module]:
    """Makes the network of operators k5e6 on layout `small`."""
    space = make_space("mobile", {"layout": "small", "resolution": side, "classes": classes})
    arch = space.architecture(tuple(choice.options[choice.options.index("k5e6")] for choice in space.choices))
    return lambda: space.build(arch)


def loader(folder: str, data: Dataset) -> DataLoader[Any]:
    steps = [
        transforms.RandomResizedCrop(data.resolution, scale=(0.5, 1.0)), transforms.RandomHorizontalFlip(),
        transforms.ToTensor(), transforms.Normalize(data.mean, data.std),
    ]  # fmt: skip
    images = ImageFolder(f"{folder}/train", transforms.Compose(steps))
    return DataLoader(images, BATCH, shuffle=True, num_workers=WORKERS, drop_last=True, persistent_workers=True)


class Plain:
    """A loop as in a tutorial."""

    def __init__(self, folder: str, data: Dataset, order: torch.memory_format, epochs: int = 1000) -> None:
        self.network = network(data.resolution, len(data.classes))().to(memory_format=order)
        self.batches, self.order = loader(folder, data), order
        self.optimizer = torch.optim.SGD(self.network.parameters(), 0.1, momentum=0.9, weight_decay=4e-5)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, epochs)
        self.criterion = nn.CrossEntropyLoss(label_smoothing=0.1)

    def epoch(self) -> int:
        """Train for one; how many images that were."""
        self.network.train()
        seen = 0
        for images, labels in self.batches:
            self.optimizer.zero_grad()
            self.criterion(self.network(images.to(memory_format=self.order)), labels).backward()
            self.optimizer.step()
            seen += len(labels)
        self.schedule.step()
        return seen


def ours(data: Dataset, make: Callable[[], nn.Module]) -> int:
    fit(make_fabric("cpu"), make, data, Recipe(epochs=1, batch=BATCH), seed=0)
    return BATCH * (len(data.train) // BATCH)


def accuracy(plain: Plain, data: Dataset, epochs: int) -> float:
    for _ in range(epochs):
        plain.epoch()
    return score(plain.network.eval(), data, data.test)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--sides", type=int, nargs="+", default=[64, 128])
    for name, default in (("rounds", 3), ("accuracy", 0), ("epochs", 20)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    keep_freed_memory()
    found: dict[str, Any] = {"folder": Path(args.folder).name}
    for side in args.sides:
        with tempfile.TemporaryDirectory() as cache:
            data = load_data(
                args.folder, side, max_corrupt=0.0, cache=Path(cache), progress=Progress(), flips="horizontal"
            )
        make = network(side, len(data.classes))
        loops = {
            "plain": Plain(args.folder, data, torch.contiguous_format),
            "plain, channels_last": Plain(args.folder, data, torch.channels_last),
        }
        ways: dict[str, Callable[[], int]] = {"ours": lambda: ours(data, make)}  # noqa: B023  called in this turn
        ways |= {kind: loop.epoch for kind, loop in loops.items()}
        rates: dict[str, list[float]] = {kind: [] for kind in ways}
        for turn in range(args.rounds + 1):  # the first warms up
            for kind, way in ways.items():
                begun = time.perf_counter()
                seen = way()
                if turn:
                    rates[kind].append(seen / (time.perf_counter() - begun))
        over = {k: spread([a / b for a, b in zip(rates["ours"], rates[k], strict=True)]) for k in loops}
        found[f"{side} px"] = {"images a second": {k: spread(v) for k, v in rates.items()}, "ours over": over}
        print(side, {k: round(v["median"], 2) for k, v in over.items()}, flush=True)
        for seed in range(args.accuracy):
            recipe = Recipe(epochs=args.epochs, batch=BATCH)
            trained = make()
            trained.load_state_dict(fit(make_fabric("cpu"), make, data, recipe, seed=seed))
            torch.manual_seed(seed)
            other = Plain(args.folder, data, torch.channels_last, args.epochs)
            pair = score(trained, data, data.test), accuracy(other, data, args.epochs)
            found.setdefault(f"accuracy, {side} px", []).append(pair)
            print(side, seed, pair, flush=True)
    finish("plain_loop", found)


if __name__ == "__main__":
    main()
