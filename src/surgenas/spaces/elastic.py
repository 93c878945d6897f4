"""All smaller versions of one network: fewer channels and blocks, smaller kernels and inputs (docs/elastic.md)."""

from __future__ import annotations

from functools import cached_property, lru_cache

import torch
from torch import Tensor, nn

from surgenas.core.architecture import Architecture, Setting
from surgenas.core.errors import UsageError
from surgenas.core.look import Look
from surgenas.nn.cost import output_shape
from surgenas.nn.download import download
from surgenas.nn.elastic import Structure, checked, sort_channels, trace
from surgenas.nn.named import has_fixed_size, look_of, make_network
from surgenas.spaces.elastic_space import Decision, ElasticSpace, spread

OUTER = ("channels of the input", "channels of the output")
"""Why the ends of every network stay as they are, which nobody needs to be told."""
SMALLEST = 0.5
"""The smallest input that can be chosen, as a share of the largest."""
SIDES = 8
"""Inputs that can be chosen are of a multiple of so many pixels."""
PATCH = 16
"""Networks that are made for one size of images look at patches of so many pixels."""


class Elastic(ElasticSpace):
    """All smaller versions of one network that timm knows by name.

    network: timm's name of it. resolution: height and width of the largest input. classes: number of classes.
    widths: how many widths each group of channels offers, spread evenly up to all; 0 for all multiples of 8. inputs:
    how many heights and widths of the input it offers, from half of the largest up; 1 for the largest alone.
    """

    name = "elastic"

    def __init__(
        self,
        *,
        network: str = "tf_efficientnet_lite0",
        resolution: int = 224,
        classes: int = 1000,
        widths: int = 8,
        inputs: int = 1,
    ) -> None:
        super().__init__(classes=classes, resolution=resolution)
        if not isinstance(network, str):
            raise UsageError(f"{self.name}: network {network!r}: expected a name that timm knows")
        self.network = network
        self.widths = self.whole_number("widths", widths, 0, 1000)
        self.inputs = self.whole_number("inputs", inputs, 1, 64)

    @property
    def settings(self) -> dict[str, Setting]:
        own: dict[str, Setting] = {"network": self.network, "widths": self.widths, "inputs": self.inputs}
        return {**super().settings, **own}

    # --- what can be chosen

    @property
    def traced(self) -> tuple[nn.Module, Structure]:
        return _traced(self.network, self.resolution, self.classes)

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """What each choice decides, in the order of an architecture's genes: the input, then as the layers run."""
        network, structure = self.traced
        found = [Decision("width", g.name, spread(g.widths, self.widths)) for g in structure.groups]
        found += [Decision("block", path, (0, 1)) for path in structure.blocks]
        found += [Decision("kernel", path, tuple(range(3, side + 1, 2))) for path, side in structure.kernels.items()]
        place = {path: i for i, (path, _) in enumerate(network.named_modules())}
        found.sort(key=lambda decision: place.get(decision.name.partition(":")[0], 0))
        if self.inputs > 1:
            found.insert(0, Decision("input", "", self._taken(network, _sides(self.resolution, self.inputs))))
        if not found:
            raise UsageError(f"nothing of {self.network} can shrink; `surgenas spaces` says what this space can do")
        return tuple(found)

    def _taken(self, network: nn.Module, sides: tuple[int, ...]) -> tuple[int, ...]:
        """The heights and widths; raises UsageError for one that the network does not take."""
        for side in sides:
            try:
                output_shape(network, (3, side, side))
            except Exception as error:
                why = (str(error).splitlines() or [type(error).__name__])[0]
                raise UsageError(
                    f"{self.network} cannot take images of {side} px ({why.rstrip('.')}); use inputs=1"
                ) from error
        return sides

    def uniform(self, share: float) -> Architecture:
        """The network whose groups all keep this share of their channels, or the nearest that is offered; the rest is
        as in the largest."""
        genes = []
        for decision, choice in zip(self.decisions, self.choices, strict=True):
            wanted = share * decision.sizes[-1] if decision.kind == "width" else decision.sizes[-1]
            genes.append(choice.options[min(range(len(decision.sizes)), key=lambda k: abs(decision.sizes[k] - wanted))])
        return self.architecture(tuple(genes))

    def narrower(self) -> list[Architecture]:
        """`uniform` at shares from a tenth up in steps of .02, of the space that offers all widths; the narrowest
        first."""
        space = self._with(widths=0)
        return list(dict.fromkeys(space.uniform(percent / 100) for percent in range(10, 101, 2)))

    def smaller_inputs(self) -> list[Architecture]:
        """The largest network on images of fewer pixels, from a quarter of the sides up, the fewest first."""
        step = PATCH if has_fixed_size(self.network) else max(1, self.resolution // 48)
        sides = sorted(range(self.resolution, max(SIDES, self.resolution // 4) - 1, -step))
        genes = self._with(inputs=1).largest().genes
        return [Architecture(self._with(resolution=side, inputs=1).spec, genes) for side in sides]

    def _with(self, **changed: Setting) -> Elastic:
        """The space with other settings."""
        settings = {**self.settings, **changed}
        return Elastic(**settings)  # type: ignore[arg-type]

    # --- networks

    def whole(self) -> nn.Module:
        """The largest network, freshly initialised."""
        return make_network(self.network, self.classes, self.resolution)

    def describe(self) -> str:
        """In a line, what of the network can be smaller, what cannot, and why."""
        structure = self.structure
        fixed = {group.name: group.reason for group in structure.fixed} | dict(structure.refused)
        cannot = [f"{name} ({why})" for name, why in fixed.items() if not why.startswith(OUTER)]
        can = (
            f"{len(structure.groups)} groups of channels, {len(structure.blocks)} blocks and {len(structure.kernels)} "
            f"depthwise kernels of {self.network} can be smaller"
        )
        return f"{can}; {len(cannot)} cannot: {'; '.join(cannot)}" if cannot else can

    def published(self) -> dict[str, Tensor]:
        """The weights that timm publishes for the network; errors as of `nn.download.download`."""
        return download(self.network)

    def look(self) -> Look:
        """How the network's published weights expect their images."""
        return look_of(self.whole())

    def sort(self, whole: nn.Module) -> None:
        """Put the channels of a largest network in order, those first that matter most; it computes the same as
        before."""
        sort_channels(whole, self.structure)


@lru_cache(maxsize=8)
def _traced(network: str, side: int, classes: int) -> tuple[nn.Module, Structure]:
    """The network with weights of no meaning, and its structure. torch's random state and device stay as they are."""
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.manual_seed(0)
        made = make_network(network, classes, side).eval()
        example = torch.randn(1, 3, side, side)
        return made, checked(made, trace(made, example), example)


def _sides(largest: int, count: int) -> tuple[int, ...]:
    """So many heights and widths, or fewer, from SMALLEST of the largest up to it."""
    shares = (SMALLEST + (1 - SMALLEST) * i / (count - 1) for i in range(count - 1))
    smaller = {max(SIDES, SIDES * round(largest * share / SIDES)) for share in shares}
    return (*sorted(side for side in smaller if side < largest), largest)
