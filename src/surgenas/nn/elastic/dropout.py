"""How do many smaller networks train in one pass? Ordered dropout: each image has widths of its own, and sees none of
the units beyond them (NetAdaptV2, arXiv 2104.00031; docs/elastic.md, 5).

Units matter to other units only where a layer sums over them. So they are set to zero there, for each image by itself,
in what the layer is given: behind all norms, whose shifts would bring them back, and once for what many layers made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from surgenas.core.errors import UsageError
from surgenas.nn.elastic.slicing import Plan, plan_of, sliced
from surgenas.nn.elastic.structure import Group, Member, Shape, Structure
from surgenas.nn.substitution import places_of

Widths = Mapping[str, Tensor]
"""By group: the units that each image keeps, (N,) int64."""
Offs = Mapping[str, Tensor]
"""By block: for which images it is off, (N,) bool."""


def dropped(
    network: nn.Module, structure: Structure, widths: Widths, x: Tensor, off: Offs | None = None,
    shape: Shape | None = None,
) -> Any:  # fmt: skip
    """What the network computes for images x (N, ...), each by a smaller network of its own, with shared weights.

    In eval mode each image gets what `sliced` computes for it; gradients of units that no image has are zero. In
    training mode norms take their statistics over all images, also over those that do not have the unit. The whole
    network is computed, so that this saves passes, not time for an image. Groups and blocks that are not named are
    whole for all images. While it runs, the network's modules have hooks: not for two threads at once.

    shape: what the network is for all images alike: smaller kernels, and widths of other groups.
    Raises UsageError for a group that is not among the `droppable`, for a size that it cannot have, and for a group
    that has widths by image and one for all.
    """
    if twice := [name for name in widths if shape and name in shape.widths]:
        raise UsageError(f"{twice[0]!r} has widths by image and one for all images; leave it out of the shape")
    plan = plan_of(network, structure, shape) if shape else None
    masks = _masks(network, structure, widths, x, plan)
    with ExitStack() as hooks:
        for mask in masks:
            for layer in mask.layers:
                hooks.callback(layer.register_forward_pre_hook(mask).remove)
        for path, images in (off or {}).items():
            block = _checked_block(network, structure, path, images, len(x))
            hooks.callback(block.register_forward_hook(_passed_on(images.to(x.device))).remove)
        out = sliced(network, structure, plan.shape, x, plan) if plan else network(x)
    for mask in masks:
        if not mask.ran:
            raise UsageError(
                f"the network uses {mask.name} without calling its layer; {_LEAVE_OUT.format(mask.groups)}"
            )
    return out


def droppable(network: nn.Module, structure: Structure) -> tuple[str, ...]:
    """The groups whose widths can differ from image to image: exact ones, read by convolutions and linear layers."""
    return tuple(group.name for group in structure.groups if not _why_not(network, group))


def by_image(structure: Structure, shapes: Sequence[Shape]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """(widths, off) for `dropped`, where the i-th image has the i-th shape; only what is not whole for all of them.

    Raises UsageError for a shape that the structure does not have, and for one with a smaller kernel.
    """
    for shape in shapes:
        structure.check(shape)
        for path, side in shape.kernels.items():
            if side != structure.kernels[path]:
                raise UsageError(f"the kernel {path!r} is the same for all images of a pass; leave it at its full side")
    sizes = {group.name: group.size for group in structure.groups if any(group.name in s.widths for s in shapes)}
    widths = {name: torch.tensor([s.widths.get(name, size) for s in shapes]) for name, size in sizes.items()}
    off = {path: torch.tensor([path in s.off for s in shapes]) for path in {path for s in shapes for path in s.off}}
    return {name: kept for name, kept in widths.items() if bool((kept < sizes[name]).any())}, off


_LEAVE_OUT = "leave {} out, which is then whole for all images"


@dataclass(eq=False)
class _Mask:
    """Sets to zero, in what a layer is given, the channels that an image does not have.

    name: of the layer's weight. kept: (N, channels that the layer reads).
    """

    name: str
    groups: str
    layers: Sequence[nn.Module]
    kept: Tensor
    ran: bool = False

    def __call__(self, layer: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        x, *more = args
        if len(x) != len(self.kept):
            raise UsageError(f"{self.name} is not applied image by image; {_LEAVE_OUT.format(self.groups)}")
        self.ran = True
        ones = [1] * (x.ndim - 2)
        shape = [len(x), *ones, -1] if isinstance(layer, nn.Linear) else [len(x), -1, *ones]
        return (x * self.kept.to(x.dtype).reshape(shape), *more)


def _masks(network: nn.Module, structure: Structure, widths: Widths, x: Tensor, plan: Plan | None) -> list[_Mask]:
    """One for each layer that sums over units which not all images have."""
    places, read = places_of(network), defaultdict[str, list[tuple[Group, Member]]](list)
    for name, kept in widths.items():
        group = _checked_group(network, structure, name, kept, len(x))
        for member in group.members:
            if member.reads and bool((kept < group.size).any()):
                read[member.name].append((group, member))
    narrow = {cut.name: dict(cut.stays).get(1) for cut in plan.cuts} if plan else {}
    made = []
    for weight, parts in read.items():
        layers = [network.get_submodule(place.name.rpartition(".")[0]) for place in places[weight]]
        kept = torch.ones(len(x), network.get_parameter(weight).shape[1], dtype=torch.bool)
        for group, member in parts:
            stays = torch.arange(group.size) < widths[group.name].cpu()[:, None]
            kept[:, member.index.ravel()] = stays.repeat_interleave(member.index.shape[1], 1)
        stay = narrow.get(weight)
        kept = kept if stay is None else kept.index_select(1, torch.as_tensor(stay).cpu())
        made.append(_Mask(weight, ", ".join(group.name for group, _ in parts), layers, kept.to(x.device)))
    return made


def _checked_group(network: nn.Module, structure: Structure, name: str, kept: Tensor, count: int) -> Group:
    if kept.shape != (count,) or kept.dtype != torch.int64:
        raise UsageError(
            f"widths of {name!r} are {kept.dtype} of shape {tuple(kept.shape)}; expected torch.int64 of ({count},), "
            "one an image"
        )
    for width in kept.unique().tolist():
        structure.check(Shape({name: width}))
    group = structure.by_name[name]
    if why := _why_not(network, group):
        raise UsageError(f"the widths of {name!r} cannot differ from image to image: {why}")
    return group


def _why_not(network: nn.Module, group: Group) -> str:
    if not group.exact:
        return "a statistic over channels lies behind it"
    for member in group.members:
        path, _, leaf = member.name.rpartition(".")
        layer = network.get_submodule(path)
        known = isinstance(layer, (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)) and (leaf, member.axis) == ("weight", 1)
        if member.reads and not known:
            return f"{member.name} is no weight of a convolution or linear layer"
    return ""


def _checked_block(network: nn.Module, structure: Structure, path: str, images: Tensor, count: int) -> nn.Module:
    structure.check(Shape(off=(path,)))
    if images.shape != (count,) or images.dtype != torch.bool:
        raise UsageError(
            f"the images of block {path!r} are {images.dtype} of shape {tuple(images.shape)}; expected torch.bool of "
            f"({count},), one an image"
        )
    return network.get_submodule(path)


def _passed_on(off: Tensor) -> Callable[[nn.Module, tuple[Any, ...], Tensor], Tensor]:
    """A hook by which a block hands on what it is given, for the images for which it is off."""

    def hook(_block: nn.Module, args: tuple[Any, ...], out: Tensor) -> Tensor:
        return torch.where(off.reshape(-1, *[1] * (out.ndim - 1)), args[0], out)

    return hook
