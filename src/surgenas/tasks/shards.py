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
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path, PurePosixPath
from typing import Any

from surgenas.core.errors import DataError
from surgenas.tasks.listing import Listing, image_suffixes, is_left_behind
from surgenas.tasks.parts import role_of
from surgenas.tasks.plan import Plan, check_counts

MOST = 100_000
"""Shards of a range."""
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
    return re.search(r"\.(tar(\.\w+)?|tgz)$", source, re.IGNORECASE) is not None


def plan_shards(source: str) -> Plan:
    """What shards hold, without decoding anything: `photos.tar`, `shards/{000..099}.tar`, `shards/*.tar`.

    Raises DataError for shards that are not there or cannot be read, and for samples without a class.
    """
    classes: dict[str, list[Member]] = defaultdict(list)
    others, roles = 0, dict[str, str]()
    for shard in expand(source):
        for name, members in _samples(shard).items():
            images = [member for suffix, member in members.items() if suffix in image_suffixes()]
            if not images:
                others += 1
                continue
            if len(images) > 1:
                raise DataError(f"{shard}: the sample {name} has {len(images)} images; keep one of them")
            classes[_label(name, members, shard)].append(images[0])
            first = name.split("/")[0]
            roles |= {role: first for role in [role_of(first)] if role}
    if len(roles) > 1:
        parts = " and ".join(sorted(roles.values()))
        raise DataError(f"{source}: {parts} are parts of a data set, which are not told apart in shards; give one part")
    notes = (f"{others} sample(s) without an image are left out",) * bool(others)
    if len(classes) < 2:
        raise DataError(f"{source} has {len(classes)} class(es); a classifier needs at least 2{'; ' * bool(notes)}"
                        f"{''.join(notes)}")  # fmt: skip
    found = {name: classes[name] for name in sorted(classes, key=_in_order(classes))}
    check_counts({f"class {name} of {source}": Listing(list[Any](its)) for name, its in found.items()}, least=2)
    return Plan(source, found, None, None, notes)


def expand(source: str) -> Iterator[Path]:
    """The shards of a pattern, in order. Raises DataError at the first that is not there."""
    if not source.lower().endswith(".tar"):
        raise DataError(f"--data {source}: images in a compressed tar file have no places; unpack it to a .tar")
    parts = RANGE.split(source)
    if "*" in source and len(parts) == 1:
        parent, name = os.path.split(source)
        found = sorted(path for path in Path(parent or ".").glob(name) if path.is_file())
        if not found:
            raise DataError(f"--data {source}: no such file")
        yield from found
        return
    numbers = []
    for first, last in zip(parts[1::3], parts[2::3], strict=True):
        if int(last) - int(first) >= MOST:
            raise DataError(f"--data {source}: {first} to {last} are more than {MOST} shards; give fewer")
        numbers.append([str(i).zfill(len(first)) for i in range(int(first), int(last) + 1)])
    for chosen in product(*numbers):
        path = Path(parts[0] + "".join(number + text for number, text in zip(chosen, parts[3::3], strict=True)))
        if not path.is_file():
            raise DataError(f"--data {source}: no such file {path} (several are {{000..099}}.tar, or * in a name)")
        yield path


def _samples(shard: Path) -> dict[str, dict[str, Member]]:
    """The files of each sample by suffix, in the order of the shard."""
    found: dict[str, dict[str, Member]] = defaultdict(dict)
    try:
        with tarfile.open(shard, "r:") as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                if not member.isreg() or member.issparse() or any(map(is_left_behind, path.parts)):
                    continue
                first, _, rest = path.name.partition(".")
                key, suffix = str(path.with_name(first)), f".{rest.lower()}"
                if suffix in found[key]:
                    raise DataError(f"{shard}: the sample {key} has two files {suffix}; keep one of them")
                found[key][suffix] = Member(shard, member.name, member.offset_data, member.size)
            _check_end(shard, tar.offset)
    except (tarfile.TarError, OSError, ValueError) as error:
        raise DataError(f"{shard} cannot be read as a tar file ({error}); restore it, or leave it out") from error
    return found


def _check_end(shard: Path, end: int) -> None:
    """Raise ReadError unless there is an end, and nothing behind it: tarfile takes whatever it cannot read for one."""
    with open(shard, "rb") as file:
        file.seek(end)
        rest = file.read(tarfile.BLOCKSIZE)
        if not rest:
            raise tarfile.ReadError("its end is missing")
        while rest:
            if rest.strip(b"\0"):
                raise tarfile.ReadError(f"damaged at byte {end}, or more than one tar file in a row")
            rest = file.read(2**20)


def _label(name: str, members: dict[str, Member], shard: Path) -> str:
    """The class that a sample names."""
    for suffix in filter(members.__contains__, LABELS):
        try:
            said: object = members[suffix].read_bytes().decode("utf-8-sig")
            if suffix == ".json":
                record = json.loads(str(said))
                said = next((record[key] for key in KEYS if record.get(key) not in (None, "")), "")
        except (OSError, ValueError, AttributeError, RecursionError) as error:
            raise DataError(f"{shard}: {name}{suffix} cannot be read ({error})") from error
        text = str(said).strip()
        if isinstance(said, bool) or not isinstance(said, (str, int)) or not text.isprintable():
            raise DataError(f"{shard}: {name}{suffix} names no class; expected a word or a number")
        if text:
            return text
    raise DataError(
        f"{shard}: the sample {name} names no class; it needs {name}.cls, or {name}.json with a cls or label"
    )


def _in_order(names: Iterable[str]) -> Callable[[str], tuple[int, str]]:
    """By number if all names are whole numbers, else by name."""
    numbers = all(name.isascii() and name.isdecimal() for name in names)
    return lambda name: (len(name.lstrip("0")) if numbers else 0, name.lstrip("0") if numbers else name)
