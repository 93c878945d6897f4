"""How fast is a final training beside a plain PyTorch loop on the same network, images and batch?

    python benchmarks/plain_loop.py FOLDER [--sides 64 128] [--rounds 3] [--accuracy SEEDS --epochs 20] [--keep]

FOLDER has train/ and val/ with a folder for each class. The plain loop is what a tutorial writes: torchvision's
ImageFolder with RandomResizedCrop, flips and normalization in two workers, SGD with momentum, no average of weights;
in torch's usual memory format, and in channels_last. Each round trains one epoch in each of the three ways, workers
started before. --accuracy: on val/, after so many epochs with each of so many seeds, both with a cosine.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from common import Asked, finish, spread
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
ORDERS = {"plain": torch.contiguous_format, "plain, channels_last": torch.channels_last}


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


def serve(folder: str, side: int, kind: str) -> None:
    """In a process of its own, whose memory glibc manages as usual: images a second of each epoch that is asked for."""
    loop = Plain(folder, images_of(folder, side), ORDERS[kind])
    for _ in sys.stdin:
        begun = time.perf_counter()
        seen = loop.epoch()
        print(seen / (time.perf_counter() - begun), flush=True)


def images_of(folder: str, side: int) -> Dataset:
    with tempfile.TemporaryDirectory() as cache:
        return load_data(folder, side, max_corrupt=0.0, cache=Path(cache), progress=Progress(), flips="horizontal")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--sides", type=int, nargs="+", default=[64, 128])
    for name, default in (("rounds", 3), ("accuracy", 0), ("epochs", 20)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.folder, args.sides[0], args.serve)
        return
    keep_freed_memory()
    found: dict[str, Any] = {"folder": Path(args.folder).name}
    for side in args.sides:
        data = images_of(args.folder, side)
        make = network(side, len(data.classes))
        source, words = Path(__file__).parents[1] / "src", (args.folder, "--sides", str(side), "--serve")
        loops = {kind: Asked(__file__, source, *words, kind) for kind in ORDERS}
        rates: dict[str, list[float]] = {kind: [] for kind in ("ours", *loops)}
        for turn in range(args.rounds + 1):  # the first warms up
            begun = time.perf_counter()
            own = ours(data, make) / (time.perf_counter() - begun)
            now = {"ours": own, **{kind: loop.ask("epoch") for kind, loop in loops.items()}}
            for kind, rate in now.items() if turn else ():
                rates[kind].append(rate)
        for loop in loops.values():
            loop.process.kill()
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
