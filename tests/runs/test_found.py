"""An architecture that lies in a run folder is of the space that the run's user asked for, wherever it comes from."""

from __future__ import annotations

import pytest

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.runs.found import read_with_space
from tests.runs.written import ARCH, TOY, architecture_file, new_run, written_run


def test_a_file_names_its_space_itself(tmp_path):
    arch, space = read_with_space(architecture_file(tmp_path / "arch.json"))
    assert (arch, space.name) == (ARCH, "mobile")


def test_a_run_of_a_catalogued_space(tmp_path):
    run = written_run(tmp_path / "run")
    assert read_with_space(run.folder)[0] == run.derived.architecture


def test_a_run_of_a_space_from_outside(tmp_path):
    run = new_run(tmp_path / "run", space="surgenas.testing:Planted", device=TOY)
    found = moves.uniform_architecture(run.space, "k3e3")
    architecture_file(run.folder / "architecture.json", found)
    arch, space = read_with_space(run.folder)
    assert arch == found
    assert space.build(arch)
    with pytest.raises(UsageError, match="unknown space 'planted'"):
        read_with_space(run.folder / "architecture.json")


def test_an_architecture_that_is_not_of_its_runs_space_is_refused(tmp_path):
    run = new_run(tmp_path / "run", space="surgenas.testing:Planted", device=TOY)
    text = ARCH.to_json().replace('"mobile"', '"elsewhere"')
    (run.folder / "architecture.json").write_text(text)
    with pytest.raises(UsageError, match="unknown space 'elsewhere'"):
        read_with_space(run.folder)
