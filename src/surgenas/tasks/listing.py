"""Which files below a folder are its images? Links are followed, leftovers of tools are not; what stays out is said."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from surgenas.core.errors import DataError

LEFTOVERS = frozenset(
    ("__macosx", "@eadir", "@tmp", "#recycle", "#snapshot", "$recycle.bin", "system volume information", "lost+found",
     "__pycache__", "thumbs.db", "ehthumbs.db", "desktop.ini")
)  # fmt: skip
"""Names, in small letters, of what systems and tools leave behind. What begins with a dot is hidden anyway."""
NO_DECODER = frozenset({"PDF", "PALM", "BUFR", "GRIB", "HDF5", "MPEG", "WMF"})
"""Formats whose suffixes Pillow registers though it cannot read them."""
HEIF = frozenset({".heic", ".heics", ".heif", ".heifs", ".hif"})
"""Suffixes of phone photos that Pillow reads once pillow-heif is installed."""


@dataclass
class Listing:
    """What lies below a folder.

    images: in the order of their paths. suffixes: of other files, with their number. hidden: names of hidden folders
    and of leftovers of tools, with their number, and "hidden images". loops: linked folders that lead back to where
    they lie.
    """

    images: list[Path] = field(default_factory=list)
    suffixes: Counter[str] = field(default_factory=Counter)
    hidden: Counter[str] = field(default_factory=Counter)
    loops: list[Path] = field(default_factory=list)


def is_left_behind(name: str) -> bool:
    """Whether a file or folder of this name is hidden, or was left by a system or tool."""
    return name.startswith(".") or name.casefold() in LEFTOVERS


def list_images(folder: Path) -> Listing:
    """The images of a folder and of all folders below it, each folder once, however many links lead there.

    Raises DataError for a folder that cannot be read.
    """
    found, known = Listing(), image_suffixes()
    _walk(folder, frozenset(), set(), known, found)
    found.images.sort()
    return found


def images_directly_in(folder: Path) -> int:
    """How many images lie directly in a folder, also such as cannot be read here."""
    known = image_suffixes() | HEIF
    return sum(
        Path(entry.name).suffix.lower() in known and not is_left_behind(entry.name) and not _is_folder(entry)
        for entry in _entries(folder)
    )


def subfolders(folder: Path) -> list[str]:
    """The names of the folders in a folder, sorted, without hidden ones and leftovers of tools."""
    return sorted(e.name for e in _entries(folder) if _is_folder(e) and not is_left_behind(e.name))


def image_suffixes() -> frozenset[str]:
    """The suffixes, in small letters, of files that can be read here: what Pillow decodes, HEIC if it is installed."""
    if find_spec("pillow_heif"):
        import pillow_heif

        pillow_heif.register_heif_opener()
    return frozenset(suffix for suffix, kind in Image.registered_extensions().items() if kind not in NO_DECODER)


def explain(place: Path | str, listings: Iterable[Listing]) -> list[str]:
    """Notes for a person on what was left out below a folder, or of a table; none if nothing was."""
    suffixes, hidden = Counter[str](), Counter[str]()
    notes: list[str] = []
    for listing in listings:
        suffixes.update(listing.suffixes)
        hidden.update(listing.hidden)
        notes += [f"{path}: this link leads back to a folder above it; not followed" for path in listing.loops]
    if suffixes:
        notes.append(f"{suffixes.total()} file(s) in {place} are not images by name; left out: {tell(suffixes)}")
    if hidden:
        notes.append(f"hidden in {place}, or left there by a tool; left out: {tell(hidden)}")
    return notes


def tell(counts: Counter[str]) -> str:
    """Names with their number, the most frequent first: "30 .heic (...), 2 .pdf"."""
    hint = " (to read them: pip install 'surgenas[heif]')"
    return ", ".join(f"{count} {name}{hint if name in HEIF else ''}" for name, count in counts.most_common())


def _walk(folder: Path, above: frozenset[str], seen: set[str], known: frozenset[str], found: Listing) -> None:
    """Add what lies below a folder. above: the true places of the folders that led here. seen: of all so far."""
    here = os.path.realpath(folder)
    seen.add(here)
    for entry in sorted(_entries(folder), key=lambda e: (e.is_symlink(), e.name)):  # what is not a link comes first
        path, suffix = Path(entry.path), Path(entry.name).suffix.lower()
        if is_left_behind(entry.name):
            if _is_folder(entry):
                found.hidden[f"{entry.name}/"] += 1
            elif suffix in known:
                found.hidden["hidden images"] += 1
        elif _is_folder(entry):
            place = os.path.realpath(path)
            if Path(here).is_relative_to(place) or place in above:
                found.loops.append(path)
            elif place not in seen:
                _walk(path, above | {here}, seen, known, found)
        elif suffix in known and (os.path.isfile(path) or entry.is_symlink()):  # a broken link is a broken image
            found.images.append(path)
        elif os.path.isfile(path):
            found.suffixes[suffix or "without a suffix"] += 1


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error.strerror}); let its owner allow it, or remove it") from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Also of a link to a folder; a link that leads to itself is none."""
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()
