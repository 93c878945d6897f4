"""Wheels for a machine that reaches no package index and has torch: what surgenas needs there, as it is here.

    python benchmarks/wheels.py --there names.txt --to .whl [--python 3.12]
    on that machine: pip install --no-index --no-deps --target site .whl/*.whl; PYTHONPATH=site:src make gpu PY=python3

--there: names of the packages that the machine has, as `pip list --format freeze` writes them or bare ones; where
versions are written, older ones than here are fetched. It needs the environment of `make install`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

SEEDS = ("surgenas", "pytest", "pytest-timeout", "hypothesis")
GIVEN = ("torch", "torchvision", "triton", "cuda", "nvidia", "setuptools", "pip")
"""Names, or beginnings of them, that an image with a GPU has in versions of its own."""
MOST_BYTES = 64 << 20
PLATFORMS = (
    *(f"manylinux_2_{n}_x86_64" for n in (34, 31, 28, 27, 26, 24, 17, 12, 5)),
    "manylinux2014_x86_64",
    "manylinux1_x86_64",
)


def needed() -> dict[str, str]:
    """Names of all packages that surgenas and its tests need, to their versions here."""
    found: dict[str, str] = {}
    open_ = list(SEEDS)
    while open_:
        name = canonicalize_name(open_.pop())
        if name in found or name.startswith(GIVEN):
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError:  # for another platform
            continue
        found[name] = package.version
        for text in package.requires or ():
            wanted = Requirement(text)
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                open_.append(wanted.name)
    found.pop("surgenas")
    return found


def known(file: Path) -> dict[str, str]:
    """Names in a list of packages to their versions, empty where it says none."""
    pairs = re.findall(r"^\s*([\w.-]+)\s*(?:==\s*(\S+))?", file.read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pairs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--there", type=Path, required=True)
    parser.add_argument("--to", type=Path, default=Path(".whl"))
    parser.add_argument("--python", default="3.12")
    args = parser.parse_args()
    there = known(args.there)
    missing = [
        f"{name}=={version}"
        for name, version in sorted(needed().items())
        if name not in there or (there[name] and Version(there[name]) < Version(version))
    ]
    subprocess.run(
        [
            sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--implementation",
            "cp", "--python-version", args.python, *(f"--platform={name}" for name in PLATFORMS), "--dest", args.to,
            *missing,
        ],
        check=True,
    )  # fmt: skip
    size = sum(file.stat().st_size for file in args.to.glob("*.whl"))
    print(f"{len(missing)} wheels, {size / 2**20:.1f} MB: {' '.join(missing)}")
    if size > MOST_BYTES:
        raise SystemExit(f"more than {MOST_BYTES >> 20} MB")


if __name__ == "__main__":
    main()
