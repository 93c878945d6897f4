"""How do all shapes of one network share its weights? Each takes the first units of every group (docs/elastic.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from surgenas.nn.elastic.dropout import by_image, droppable, dropped
from surgenas.nn.elastic.slicing import cut, plan_of, put_back, sliced
from surgenas.nn.elastic.structure import Shape, Structure
from surgenas.nn.sharing import Sharing
from surgenas.nn.supernet import Gates

PLANS = 256
"""How many plans are kept for shapes that come again."""


class ElasticSupernet(nn.Module):
    """A network with what of it can be smaller; a path of L positions says how much.

    network: the largest, whose weights all share. form_of: from a path to its shape, and to the height and width of the
    images that it looks at.
    """

    shares: ClassVar[Sharing] = "elastic"

    def __init__(
        self, network: nn.Module, structure: Structure, form_of: Callable[[Sequence[int]], tuple[Shape, int]]
    ) -> None:
        super().__init__()
        self.network, self.structure, self.form_of = network, structure, form_of
        self.stem = nn.Identity()  # every choice is behind it
        self.plan = lru_cache(maxsize=PLANS)(plan_of)  # by network, since copies of this supernet share it

    def begin_with(self, tensors: Mapping[str, Tensor]) -> None:
        """Take these weights of the largest network, its channels in the order in which they are kept."""
        self.network.load_state_dict(tensors)

    def forward(self, x_NCHW: Tensor, gates: Gates, eta: float = 0.0) -> Tensor:
        """(N, C, H, W) -> (N, classes). The gates say a path; they receive no gradient, and there are no shortcuts for
        `eta`."""
        return self.after_stem(x_NCHW, gates, eta)

    def after_stem(self, x_NCHW: Tensor, gates: Gates, eta: float = 0.0) -> Tensor:
        """As `forward`, since the stem does nothing."""
        if gates.path is None:
            raise ValueError("an elastic network runs one path at a time; use a sampler that draws paths")
        return self.at(x_NCHW, gates.path)

    def at(self, x_NCHW: Tensor, path: Sequence[int], eta: float = 0.0) -> Tensor:
        """Compute as the network of a path: (N, C, H, W) -> (N, classes)."""
        shape, side = self.form_of(path)
        plan = self.plan(self.network, self.structure, shape)
        logits: Tensor = sliced(self.network, self.structure, shape, resized(x_NCHW, side), plan)
        return logits

    def at_each(self, x_NCHW: Tensor, paths: Sequence[Sequence[int]]) -> Tensor:
        """Compute each of N images as the network of a path of its own: (N, C, H, W) -> (N, classes).

        What is the same for all images of a pass (the input, kernels, alternatives, groups that are not `droppable`) is
        as the first path says.
        """
        shapes = [self.form_of(path)[0] for path in paths]
        shape, side = self.form_of(paths[0])
        own = [Shape({g: w for g, w in s.widths.items() if g in self.droppable}, s.off) for s in shapes]
        alike = {g: w for g, w in shape.widths.items() if g not in self.droppable}
        rest = Shape(alike, kernels=shape.kernels, kinds=shape.kinds)
        widths, off = by_image(self.structure, own)
        logits: Tensor = dropped(self.network, self.structure, widths, resized(x_NCHW, side), off, rest)
        return logits

    @cached_property
    def droppable(self) -> frozenset[str]:
        """The groups whose widths can differ from image to image."""
        return frozenset(droppable(self.network, self.structure))

    def alone(self, path: Sequence[int]) -> nn.Module:
        """The network of a path by itself, with weights of its own."""
        return cut(self.network, self.structure, self.form_of(path)[0])

    def take_back(self, path: Sequence[int], tensors: Mapping[str, Tensor]) -> None:
        """Take over what became of the network of a path by itself, as its state_dict; `alone` gives these weights from
        then on, and all others stay."""
        put_back(self.network, self.plan(self.network, self.structure, self.form_of(path)[0]), tensors)

    def cut(self, path: Sequence[int], network: nn.Module) -> nn.Module:
        """Copy the weights of one path into a network that the space built, and return it.

        Raises RuntimeError if the network is not that of the path.
        """
        network.load_state_dict(self.alone(path).state_dict())
        return network


def resized(x_NCHW: Tensor, side: int) -> Tensor:
    """Images of side x side pixels, averaged where they become smaller; the same if they are that large."""
    if x_NCHW.shape[-1] == side:
        return x_NCHW
    return F.interpolate(x_NCHW, size=(side, side), mode="bilinear", antialias=True)
