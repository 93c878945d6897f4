"""How does a table of paths and labels say what will be read? Columns go by their usual names, and a row that cannot be
meant is refused by its number; the files then are checked as those of a folder are."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from surgenas.core.errors import DataError
from surgenas.tasks.listing import LEFTOVERS, Listing, explain, image_suffixes, is_left_behind
from surgenas.tasks.parts import role_of
from surgenas.tasks.plan import Plan, check_alike, check_counts
from surgenas.tasks.table_file import COLUMNS, Table, meaning_of, open_table

TESTS = ("test", "eval", "val")
"""Of the parts that can be tested with, the first in this order is."""
TOOL_FOLDERS = LEFTOVERS | {".ipynb_checkpoints"}
"""Names of folders, in small letters, whose files a tool made, whatever a table says."""


@dataclass(frozen=True)
class Row:
    """A file that a table names. path: as it says. place: where that is. role: what for, as `parts.role_of` says."""

    number: int
    path: str
    place: str
    label: str
    role: str


def plan_table(path: Path, max_corrupt: float) -> Plan:
    """What a table holds, without decoding anything. Paths are relative to the table's folder, or absolute.

    max_corrupt: the share of files that may be missing. Raises DataError for a table or files that cannot be meant,
    EnvironmentFault for a Parquet file without pyarrow.
    """
    table = open_table(path)
    columns = _columns(path, table.names)
    rows = _rows(path, table, columns)
    roles = {row.role for row in rows}
    test_role = next((role for role in TESTS if role in roles), None)
    notes = _note_columns(table.names, columns) + _note_parts(roles, test_role)
    used = [row for row in rows if row.role in ("train", test_role)]
    once = _without_repeats(path, table.row, used)
    if repeats := len(used) - len(once):
        notes.append(f"{repeats} row(s) of {path} name a file again, with the same label; counted once")
    gone = [row for row in once if not os.path.isfile(row.place)]
    if gone:
        _check_missing(path, gone, len(once), max_corrupt)
        notes.append(f"{len(gone)} of {len(once)} files of {path} do not exist; left out, first {gone[0].path}")
    train, test = (_listings(once, set(gone), role) for role in ("train", test_role))
    return _checked(path, train, test, test_role, notes)


def _checked(
    path: Path, train: dict[str, Listing], test: dict[str, Listing], test_role: str | None, notes: list[str]
) -> Plan:
    """The plan, once its classes pass the checks that those of a folder pass."""
    train_name, test_name = (f"{path} (train)", f"{path} ({test_role})") if test_role else (str(path), None)
    if len(train) < 2:
        raise DataError(f"{train_name} has {len(train)} class(es); a classifier needs at least 2")
    check_counts({f"class {name} of {train_name}": its for name, its in train.items()}, least=1 if test_role else 2)
    notes += explain(train_name, train.values())
    if test_name:
        check_alike(train_name, train, test_name, test)
        check_counts({f"class {name} of {test_name}": its for name, its in test.items()}, least=1)
        notes += explain(test_name, test.values())
    files = [{name: listing.images for name, listing in part.items()} for part in (train, test)]
    return Plan(train_name, files[0], test_name, files[1] or None, tuple(notes))


# --- columns and rows


def _columns(path: Path, names: Sequence[str]) -> dict[str, int]:
    """The places of the columns by what they mean. Raises DataError, naming all columns, if that is not clear."""
    seen = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    found: dict[str, int] = {}
    for meaning in COLUMNS:
        places = [i for i, name in enumerate(names) if meaning_of(name) == meaning]
        if len(places) > 1:
            several = ", ".join(names[i] for i in places)
            raise DataError(
                f"{path}: any of the columns {several} may be the {meaning}; rename or remove all but one of them "
                f"(its columns: {seen})"
            )
        if places:
            found[meaning] = places[0]
        elif meaning != "split":
            raise DataError(
                f"{path} has no column {meaning}; its first line must name the columns path, label and, for given "
                f"parts, split (its columns: {seen})"
            )
    return found


def _note_columns(names: Sequence[str], found: Mapping[str, int]) -> list[str]:
    others = [name for i, name in enumerate(names) if i not in found.values()]
    more = f" and {len(others) - 8} more" if len(others) > 8 else ""
    return [f"columns that are not used: {', '.join(others[:8])}{more}"] * bool(others)


def _note_parts(roles: set[str], test_role: str | None) -> list[str]:
    """Which part is the test part, and which are not used; nothing if no parts are given."""
    unused = sorted(roles - {"train", test_role})
    return [f"rows of the part {test_role} are the test part, which no search sees"] * bool(test_role) + [
        f"rows of the part {role} are not used: searching and training here need no validation part" for role in unused
    ]


def _rows(path: Path, table: Table, found: Mapping[str, int]) -> list[Row]:
    """All rows; raises DataError for empty cells, unknown parts, and a table of which nothing is learnt from."""
    rows = [(number, [cell.strip() for cell in cells]) for number, cells in table.read(list(found.values()))]
    if not rows:
        raise DataError(f"{path} has no rows; expected one for each image")
    for i, meaning in enumerate(found):
        empty = [number for number, cells in rows if not cells[i]]
        if empty:
            raise DataError(
                f"{path}: {len(empty)} row(s) have no {meaning}, the first is {table.row} {empty[0]}; fill them in or "
                "remove them"
            )
    folder = str(path.parent)
    if "split" not in found:
        return [Row(number, file, _place(folder, file), label, "train") for number, (file, label) in rows]
    said = dict.fromkeys(cells[2] for _, cells in rows)
    roles = {name: role_of(name) for name in said}
    if unknown := [name for name, role in roles.items() if not role]:
        more = f" and {len(unknown) - 4} more" if len(unknown) > 4 else ""
        raise DataError(
            f"{path}: the part of a row is unknown: {', '.join(unknown[:4])}{more}; expected train and test"
        )
    if "train" not in roles.values():
        raise DataError(
            f"{path}: no row is to learn from, since the parts are {', '.join(said)}; expected train and test"
        )
    return [Row(number, file, _place(folder, file), label, roles[part]) for number, (file, label, part) in rows]


def _without_repeats(path: Path, word: str, rows: list[Row]) -> list[Row]:
    """The rows, each file of a part once; raises DataError for files with several labels."""
    first: dict[str, Row] = {}
    kept: dict[tuple[str, str], Row] = {}
    contradict: list[tuple[Row, Row]] = []
    for row in rows:
        place = os.path.normpath(row.place)
        known = first.setdefault(place, row)
        if known.label != row.label:
            contradict.append((known, row))
        kept.setdefault((place, row.role), row)
    if contradict:
        one, other = contradict[0]
        raise DataError(
            f"{path}: {len({one.path for one, _ in contradict})} file(s) have several labels, first {one.path}: "
            f"{one.label} ({word} {one.number}) and {other.label} ({word} {other.number}); keep one row for each"
        )
    return list(kept.values())


def _check_missing(path: Path, gone: Sequence[Row], files: int, max_corrupt: float) -> None:
    """Raise DataError if more of so many files do not exist than the share `max_corrupt`."""
    if len(gone) > max_corrupt * files:
        first = gone[0].path
        here = "; they are there as seen from the present folder: move the table here" * os.path.isfile(first)
        raise DataError(
            f"{path}: {len(gone)} of {files} files do not exist (limit {max_corrupt:.0%}, --max-corrupt), first "
            f"{first}; paths are relative to the table's folder, or absolute{here}"
        )


# --- files


def _place(folder: str, text: str) -> str:
    """The place of a file; with the separators of Windows where they were written."""
    place = os.path.join(folder, text)
    return place if "\\" not in text or os.path.exists(place) else os.path.join(folder, text.replace("\\", "/"))


def _listings(rows: Sequence[Row], gone: Set[Row], role: str | None) -> dict[str, Listing]:
    """The files of each class of a part, in the order of their paths. Classes come in the order of their names, or of
    their numbers if all are whole numbers. gone: rows whose files do not exist."""
    known = image_suffixes()
    found: dict[str, Listing] = defaultdict(Listing)
    for row in rows:
        if row.role != role:
            continue
        file, listing = Path(row.place), found[row.label]  # also of a missing file: its class is one
        suffix = file.suffix.lower()
        if row in gone:
            continue
        if is_left_behind(file.name) or not TOOL_FOLDERS.isdisjoint(re.split(r"[\\/]", row.path.casefold())):
            listing.hidden["hidden images"] += 1
        elif suffix in known:
            listing.images.append(file)
        else:
            listing.suffixes[suffix or "without a suffix"] += 1
    for listing in found.values():
        listing.images.sort()
    whole = all(re.fullmatch(r"[+-]?\d+", label) for label in found)
    return {label: found[label] for label in sorted(found, key=lambda label: (int(label) if whole else 0, label))}
