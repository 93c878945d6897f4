"""Which images do tar shards in WebDataset's layout hold? Members are found once, and then read by their place in the
shard, so that images come in any order and no shard is unpacked.

The layout: files of a sample share a name up to its first dot; one is the image, one says the class (`.cls`, or `.json`
with a "cls" or a "label"). The webdataset package itself reads shards from their beginning to their end.
"""

from __future__ import annotations

import json
import os
import re
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path, PurePosixPath

from surgenas.core.errors import DataError
from surgenas.tasks.listing import Listing, image_suffixes
from surgenas.tasks.plan import Plan, check_counts

RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
LABELS = (".cls", ".json")
KEYS = ("cls", "label")
"""Of what a `.json` says, that which is the class."""


@dataclass(frozen=True, order=True)
class Member:
    """A file inside a tar file, by its first byte and its size."""

    shard: Path
    name: str
    offset: int
    size: int

    def read_bytes(self) -> bytes:
        """What it holds. Raises OSError if the shard is too short by now."""
        with open(self.shard, "rb") as file:
            file.seek(self.offset)
            content = file.read(self.size)
        if len(content) < self.size:
            raise OSError(f"{self.shard} ends too early")
        return content

    def stat(self) -> os.stat_result:
        """The shard's."""
        return self.shard.stat()

    def __str__(self) -> str:
        return f"{self.shard}/{self.name}"


def is_shards(source: str) -> bool:
    """Whether a source of images is a tar file, or several."""
    return source.endswith(".tar")


def plan_shards(source: str) -> Plan:
    """What shards hold, without decoding anything: `photos.tar`, `shards/{000..099}.tar`, `shards/*.tar`.

    Raises DataError for shards that are not there or cannot be read, and for samples without a class.
    """
    listings: dict[str, Listing] = defaultdict(Listing)
    others = 0
    for shard in expand(source):
        for name, members in _samples(shard).items():
            images = [member for suffix, member in members.items() if suffix in image_suffixes()]
            if not images:
                others += 1
                continue
            if len(images) > 1:
                raise DataError(f"{shard}: the sample {name} has {len(images)} images; keep one of them")
            listings[_label(name, members, shard)].images.append(images[0])  # type: ignore[arg-type]
    if len(listings) < 2:
        raise DataError(f"{source} has {len(listings)} class(es); a classifier needs at least 2")
    found = {name: listings[name] for name in sorted(listings, key=_in_order(listings))}
    check_counts({f"class {name} of {source}": its for name, its in found.items()}, least=2)
    notes = (f"{others} sample(s) without an image are left out",) * bool(others)
    return Plan(source, {name: its.images for name, its in found.items()}, None, None, notes)


def expand(source: str) -> list[Path]:
    """The shards of a pattern, in order. Raises DataError if one of them, or every one, is not there."""
    parts = RANGE.split(source)
    ranges = [
        [str(i).zfill(len(first)) for i in range(int(first), int(last) + 1)]
        for first, last in zip(parts[1::3], parts[2::3], strict=True)
    ]
    names = ["".join(_woven(parts[0::3], chosen)) for chosen in product(*ranges)]
    if not ranges and "*" in source:
        parent, name = os.path.split(source)
        names = sorted(str(path) for path in Path(parent or ".").glob(name))
    gone = [name for name in names if not Path(name).is_file()]
    if gone or not names:
        raise DataError(f"--data {source}: {f'no such file {gone[0]}' if gone else 'no such file'}")
    return [Path(name) for name in names]


def _woven(texts: list[str], chosen: tuple[str, ...]) -> Iterator[str]:
    yield texts[0]
    for number, text in zip(chosen, texts[1:], strict=True):
        yield number
        yield text


def _samples(shard: Path) -> dict[str, dict[str, Member]]:
    """The files of each sample by suffix, in the order of the shard."""
    found: dict[str, dict[str, Member]] = defaultdict(dict)
    try:
        with tarfile.open(shard, "r:") as tar:
            for member in tar:
                if not member.isreg() or member.issparse():
                    continue
                path = PurePosixPath(member.name)
                first, _, rest = path.name.partition(".")
                key = str(path.with_name(first)) if first else ""
                if key:
                    found[key][f".{rest.lower()}"] = Member(shard, member.name, member.offset_data, member.size)
            if tar.offset >= shard.stat().st_size:  # tarfile takes a missing end for the end
                raise tarfile.ReadError("its end is missing")
    except (tarfile.TarError, OSError, ValueError) as error:
        raise DataError(f"{shard} cannot be read as a tar file ({error}); restore it, or leave it out") from error
    return found


def _label(name: str, members: dict[str, Member], shard: Path) -> str:
    """The class that a sample names."""
    for suffix in LABELS:
        if suffix not in members:
            continue
        try:
            text = members[suffix].read_bytes().decode()
            said = text.strip()
            if suffix == ".json":
                record = json.loads(text)
                said = next((str(record[key]) for key in KEYS if key in record), "")
        except (ValueError, TypeError) as error:
            raise DataError(f"{shard}: {name}{suffix} cannot be read ({error})") from error
        if said:
            return said
    raise DataError(
        f"{shard}: the sample {name} names no class; it needs {name}.cls, or {name}.json with a cls or label"
    )


def _in_order(names: dict[str, Listing]) -> type[int] | type[str]:
    """By number if all names are numbers."""
    return int if all(name.isdecimal() for name in names) else str
