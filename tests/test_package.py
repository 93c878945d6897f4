"""What is published works without the checkout: a wheel, built from the source distribution, has all that it needs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from surgenas.hardware.devices import shipped_names

ROOT = Path(__file__).parents[1]
BUILD = "import sys; from setuptools import build_meta; print(getattr(build_meta, sys.argv[1])(sys.argv[2]))"
LOOK = """
import json
from importlib.resources import files
from surgenas.hardware.devices import shipped_names
import surgenas
drawn = lambda name: files("surgenas.report").joinpath(name).read_text()[-200:]
print(json.dumps([surgenas.__file__, shipped_names(), [*map(drawn, ("page.html", "plotly-basic.min.js"))]]))
"""


def python(*args: str, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *args], cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder with what the wheel holds, built from what the source distribution holds."""
    checkout, built = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("built")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout)
    shutil.copytree(ROOT / "src", checkout / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    with tarfile.open(built / python("-c", BUILD, "build_sdist", str(built), cwd=checkout)) as archive:
        archive.extractall(built, filter="data")
    (sources,) = (path for path in built.iterdir() if path.is_dir())
    wheel = python("-c", BUILD, "build_wheel", str(built), cwd=sources)
    with zipfile.ZipFile(built / wheel) as archive:
        archive.extractall(built / "installed")
    return built / "installed"


def test_a_wheel_has_devices_and_the_page_and_says_that_it_is_typed(installed, tmp_path):
    where, devices, (page, script) = json.loads(python("-c", LOOK, cwd=tmp_path, PYTHONPATH=str(installed)))
    assert Path(where).is_relative_to(installed)
    assert devices == shipped_names()
    assert "</html>" in page
    assert script
    assert list(installed.glob("*.dist-info/licenses/**/plotly-basic.LICENSE"))
    assert (installed / "surgenas" / "py.typed").is_file()


def test_a_wheel_has_the_command(installed):
    (entry,) = installed.glob("*.dist-info/entry_points.txt")
    assert "surgenas = surgenas.cli:main" in entry.read_text()
