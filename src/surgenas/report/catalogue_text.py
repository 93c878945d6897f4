"""What spaces, methods and latency predictors there are, as text for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill

from rich.markup import escape
from rich.table import Table

from surgenas.report.words import WIDTH, draw
from surgenas.studies.describe import MethodList, SettingRow, SpaceRow

ABILITIES = {
    "SharesWeights": "architectures can share weights",
    "Counted": "says what its choices cost",
    "Named": "parts have names",
    "Scalable": "width, depth and resolution scale",
    "Selectable": "operators can be selected for a device",
    "Indexed": "has topology numbers",
    "Boxed": "choices are numbers",
}
"""What each capability of a space is called in print."""


def methods_list(found: MethodList) -> str:
    """A line for each method and each latency predictor."""
    table = Table("method", "candidates", "usual space", "what", box=None)
    for name, method in found.methods.items():
        how = "share weights" if method.shares else "trained alone" if method.needs.get("trained") else ""
        table.add_row(name, how, method.space, escape(method.what))
    more = "surgenas methods NAME shows all that --set takes; docs/lab.md says which of them pay"
    return "\n".join([draw(table), "", draw(_predictors(found)), "", more])


def _predictors(found: MethodList) -> Table:
    table = Table("latency predictor", "what", box=None)
    for name, what in found.predictors.items():
        table.add_row(name, escape(what))
    return table


def methods_table(found: MethodList) -> str:
    """Every method with what it is, its default space and its settings; then the latency predictors."""
    lines = []
    for name, method in found.methods.items():
        if not method.needs:  # its package is not installed
            lines.append(f"{name}\n  {method.what}\n")
            continue
        alone = "trains candidates by themselves" if method.needs.get("trained") else "trains no candidates"
        how = f"shares weights as {' or '.join(method.shares)}" if method.shares else alone
        lines.append(f"{name} (space {method.space}; {how})\n  {method.what}\n{_setting_table(method.settings)}\n")
    return "\n".join([*lines, draw(_predictors(found))])


def space_list(found: Mapping[str, SpaceRow]) -> str:
    """A line for each space: how many networks it has in its first layout, and what it is."""
    firsts = {name.partition(" ")[0]: space for name, space in reversed([*found.items()])}
    table = Table("space", "choices", "networks", "what", box=None)
    for name, space in reversed([*firsts.items()]):
        table.add_row(name, str(space.layers), f"{space.architectures:.3g}", escape(space.what))
    return f"{draw(table)}\n\nsurgenas spaces NAME shows its operators, its layouts and its settings"


def space_table(found: Mapping[str, SpaceRow]) -> str:
    """Every space with what it is, its size, its capabilities and its settings."""
    lines: list[str] = []
    told: set[str] = set()
    for name, space in found.items():
        size = f"{space.layers} choices, {space.architectures:.3g} architectures, {space.resolution} px"
        if (first := name.partition(" ")[0]) in told:  # another layout of the space before
            lines[-1] += f"\n{name}: {size}"
            continue
        told.add(first)
        can = ", ".join(ABILITIES[ability] for ability in space.can)
        operators = f"operators: {', '.join(space.operators)}"
        lines.append(
            f"{fill(f'{first}: {space.what}', WIDTH, subsequent_indent='  ')}\n"
            f"{fill(operators, WIDTH, initial_indent='  ', subsequent_indent='    ')}\n"
            f"  {can}\n{_setting_table(space.settings)}\n{name}: {size}"
        )
    return "\n\n".join(lines)


def _setting_table(settings: Sequence[SettingRow]) -> str:
    """A line for each setting; nothing where there is none."""
    if not settings:
        return ""
    table = Table("  setting", "default", "takes", "meaning", box=None)
    for s in settings:
        table.add_row(f"  {s.name}", escape(s.default), escape(s.takes), escape(s.meaning))
    return draw(table)
