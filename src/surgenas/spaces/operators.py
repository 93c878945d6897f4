"""Spaces of HURRICANE (Zhang et al. 2020, arXiv 1910.11609) and of SPOS (Guo et al. 2020, arXiv 1904.00420): chains
whose layers choose among blocks of several families (docs/methods/hurricane.md, 1)."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar, NamedTuple

from torch import nn

from surgenas.core.architecture import Architecture, Setting
from surgenas.core.errors import UsageError
from surgenas.nn.blocks import mbconv
from surgenas.nn.pool import Residual, separable_block, shuffle_block, stack_with_se
from surgenas.spaces.mobile import Mobile, Slot

PUBLISHED = {"spos": (2, 1, 0, 1, 2, 0, 2, 0, 2, 0, 2, 3, 0, 0, 0, 0, 3, 2, 3, 3)}
"""Published networks, as the positions of the operators in every layer."""


class Block(NamedTuple):
    """An operator. family: "sep", "mb" or "shuffle". kernel: 0 for Xception's chain of three 3x3 convolutions."""

    family: str
    kernel: int
    expand: int = 1
    squeeze: bool = False


def _pool() -> dict[str, Block]:
    """The 32 operators: 6 separable, 18 MBConv, 6 of ShuffleNetV2's block and 2 of Xception's version of it."""
    plain = {f"sep_k{k}": Block("sep", k) for k in (3, 5, 7)}
    plain |= {f"mb_k{k}e{e}": Block("mb", k, e) for e in (1, 3, 6) for k in (3, 5, 7)}
    plain |= {f"choice_k{k}": Block("shuffle", k) for k in (3, 5, 7)}
    plain |= {"choice_x": Block("shuffle", 0)}
    return plain | {f"{name}_se": block._replace(squeeze=True) for name, block in plain.items()}


class Operators(Mobile):
    """HURRICANE's pool of operators (Zhang et al. 2020): separable, MBConv and ShuffleNetV2 blocks in chains. Settings
    are those of `mobile` and `pool`.

    pool: the operators that a layer may take, best first, separated by commas. With semicolons between them each layer
    has its own list, all equally long. Empty for all 32.
    """

    name = "operators"
    blocks: ClassVar[dict[str, Block]] = _pool()
    indices = None  # type: ignore[assignment]  # not every block has a formula

    def __init__(self, *, layout: str = "operators", pool: str = "", **settings: float) -> None:
        super().__init__(layout=layout, **settings)  # type: ignore[arg-type]
        self.pool = pool
        self._options = self._parse_pool(pool)

    @property
    def settings(self) -> dict[str, Setting]:
        return super().settings | ({"pool": self.pool} if self.pool else {})

    @cached_property
    def _place(self) -> dict[str, int]:
        return {slot.name: layer for layer, slot in enumerate(self.slots)}

    def options(self, slot: Slot) -> tuple[str, ...]:
        return self._options[self._place[slot.name]]

    def columns(self, slot: Slot) -> tuple[str, ...]:
        return self.options(slot)

    def _parse_pool(self, pool: str) -> tuple[tuple[str, ...], ...]:
        """The operators of every layer that a pool names; raises UsageError for a pool that makes no space."""
        if not isinstance(pool, str):  # it may come from a file
            raise UsageError(f"pool {pool!r}: expected names of operators, separated by commas")
        layers = [tuple(filter(None, part.split(","))) for part in pool.split(";")] if pool else [tuple(self.blocks)]
        if len(layers) == 1:
            layers *= len(self.slots)
        unknown = [name for names in layers for name in names if name not in self.blocks]
        if unknown:
            raise UsageError(f"pool: unknown operator {unknown[0]!r}; one of {', '.join(self.blocks)}")
        if len(layers) != len(self.slots):
            raise UsageError(f"pool names operators for {len(layers)} layers, layout {self.layout_name!r} has "
                             f"{len(self.slots)}; one list for all of them is enough")  # fmt: skip
        if len({len(names) for names in layers}) != 1 or not layers[0]:
            raise UsageError("pool: every layer needs equally many operators, at least one")
        if any(len(set(names)) != len(names) for names in layers):
            raise UsageError("pool: an operator is named twice in a layer")
        return tuple(layers)

    def parse(self, text: str) -> Architecture:
        """The architecture behind operators joined by "-", or behind one operator that all layers take.

        Raises UsageError for any other text.
        """
        return super().parse("-".join([text] * len(self.slots)) if text in self.blocks else text)

    def layer_input(self, layer: int) -> tuple[int, int, int]:
        slot = self.slots[layer]
        return slot.cin, slot.size, slot.size

    def layer_place(self, layer: int) -> str:
        slot = self.slots[layer]
        return f"{'relu6' if self.layout.relu6 else 'relu'}/{slot.cin}-{slot.cout}-{slot.stride}-{slot.size}"

    def layer(self, layer: int, gene: str) -> nn.Module:
        return self.operator(gene, self.slots[layer])

    def operator(self, gene: str, slot: Slot) -> nn.Module:
        """The module of one layer alone, freshly initialised."""
        return self._operator(gene, slot, affine=True)

    def _operator(self, gene: str, slot: Slot, *, affine: bool) -> nn.Module:
        block, cin, cout, stride = self.blocks[gene], slot.cin, slot.cout, slot.stride
        if block.family == "sep":
            return separable_block(cin, cout, kernel=block.kernel, stride=stride, affine=affine, squeeze=block.squeeze)
        if block.family == "shuffle":
            return shuffle_block(cin, cout, kernel=block.kernel, stride=stride, affine=affine, squeeze=block.squeeze)
        main = mbconv(cin, cout, kernel=block.kernel, expand=block.expand, stride=stride, affine=affine,
                      act=self.layout.act, residual=False)  # fmt: skip
        main = stack_with_se([main], cout, block.squeeze)
        return Residual(main) if slot.is_identity else main


class Shuffle(Operators):
    """SPOS's own space: in each layer ShuffleNetV2's block with a kernel of 3, 5 or 7, or Xception's version of it."""

    name = "shuffle"
    blocks: ClassVar[dict[str, Block]] = {f"k{k}": Block("shuffle", k) for k in (3, 5, 7)} | {"x": Block("shuffle", 0)}

    def __init__(self, *, layout: str = "shuffle", **settings: float) -> None:
        super().__init__(layout=layout, **settings)  # type: ignore[arg-type]

    def parse(self, text: str) -> Architecture:
        """The architecture behind a text that `Operators.parse` takes, or behind the name of a published network."""
        if text not in PUBLISHED:
            return super().parse(text)
        names = tuple(self.blocks)
        return self.architecture(tuple(names[i] for i in PUBLISHED[text]))
