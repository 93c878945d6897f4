"""How are cells of two inputs written in publications? As a genotype: Genotype(normal=[('sep_conv_3x3', 0), ...], ...).

Each pair is an operator and the node that it reads, two pairs for each node, the first node's before; nodes 0 and 1 are
the outputs of the two cells before. Some authors put each node's two pairs into a list of their own.
"""

from __future__ import annotations

import ast
from itertools import chain
from typing import Any

from surgenas.core.errors import UsageError

Pair = tuple[str, int]
"""An operator, and the node that it reads."""
NODES = 4
"""Inner nodes of a cell."""
_EXPECTED = (
    "expected Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1), ...], normal_concat=range(2, 6), "
    "reduce=[...], reduce_concat=range(2, 6)), two pairs for each of 4 nodes"
)


def parse_genotype(text: str) -> tuple[list[Pair], list[Pair]]:
    """The pairs of the normal and of the reduction cell, eight of each; raises UsageError for any other text."""
    fields = _fields(text)
    for name in ("normal_concat", "reduce_concat"):
        joined = fields.get(name, range(2, 6))
        if not isinstance(joined, (list, tuple, range)) or len(joined) != NODES or [*joined] != [*range(2, 2 + NODES)]:
            raise UsageError(f"not a genotype of darts: {name} is {joined}; its cells join nodes 2 to 5")
    return _pairs(fields, "normal"), _pairs(fields, "reduce")


def genotype_text(normal: list[Pair], reduce: list[Pair]) -> str:
    """The text of the pairs of both cells: the inverse of `parse_genotype`."""
    return f"Genotype(normal={normal}, normal_concat=range(2, 6), reduce={reduce}, reduce_concat=range(2, 6))"


def _fields(text: str) -> dict[str, Any]:
    """The arguments of the call that the text is; they are read as data and never run."""
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if isinstance(call, ast.Call) and not call.args:
            return {str(word.arg): _value(word.value) for word in call.keywords}
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        pass
    raise UsageError(f"not a genotype: {text[:80]!r}; {_EXPECTED}")


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        return range(*(ast.literal_eval(argument) for argument in node.args))
    return ast.literal_eval(node)


def _pairs(fields: dict[str, Any], cell: str) -> list[Pair]:
    found = fields.get(cell)
    if isinstance(found, list) and all(isinstance(row, list) for row in found):
        found = list(chain.from_iterable(found))
    if not isinstance(found, list) or len(found) != 2 * NODES or not all(map(_is_pair, found)):
        raise UsageError(f"not a genotype of darts: {cell} has not two pairs for each of {NODES} nodes; {_EXPECTED}")
    for node, pairs in enumerate(zip(found[::2], found[1::2], strict=True), start=2):
        read = [source for _, source in pairs]
        if not all(0 <= source < node for source in read):
            raise UsageError(f"not a genotype of darts: node {node} of {cell} reads {read}; nodes before it are meant")
        if read[0] == read[1]:
            raise UsageError(f"not a genotype of darts: node {node} of {cell} reads node {read[0]} twice")
    return [(str(operator), int(source)) for operator, source in found]


def _is_pair(value: object) -> bool:
    match value:
        case (str(), int() as source):
            return not isinstance(source, bool)
    return False
