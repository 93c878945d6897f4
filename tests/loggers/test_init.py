"""A logger is one of ours by its name, or anybody's by its path; what is wrong is said before time is spent."""

from __future__ import annotations

import sys

import pytest
from lightning_fabric.loggers import CSVLogger

from surgenas.core.errors import EnvironmentFault, UsageError
from surgenas.loggers import CATALOG, check_loggers, make_logger
from surgenas.loggers.fabric import OfFabric
from tests.loggers.recording import RECORDING, Recording


def test_a_logger_for_fabric_of_another_package_is_made_from_the_folder_to_write_to(tmp_path):
    made = make_logger("lightning_fabric.loggers:CSVLogger", tmp_path)
    assert isinstance(made, OfFabric)
    assert isinstance(made.logger, CSVLogger)
    assert made.logger.root_dir == str(tmp_path / "logs")
    assert make_logger("lightning_fabric.loggers:CSVLogger=there", tmp_path).logger.root_dir == "there"


def test_one_of_our_kind_stays_what_it_is(tmp_path):
    assert isinstance(make_logger(f"{RECORDING}=a", tmp_path), Recording)


@pytest.mark.parametrize(
    ("to", "why"),
    [("tensorbord", "unknown logger 'tensorbord'; one of mlflow, tensorboard"), ("os:nothing", "cannot be loaded"),
     ("tensorboard=", "NAME=WHERE")],
)  # fmt: skip
def test_a_name_that_does_not_exist_is_refused(tmp_path, to, why):
    with pytest.raises(UsageError, match=why):
        check_loggers([to], tmp_path)


@pytest.mark.parametrize("name", CATALOG)
def test_a_package_that_is_missing_is_named_with_its_extra(tmp_path, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(EnvironmentFault, match=rf"pip install 'surgenas\[{name}\]'"):
        check_loggers([name], tmp_path)


def test_loggers_of_others_are_looked_up_and_not_made(tmp_path):
    check_loggers([f"{RECORDING}=a"], tmp_path)
    assert Recording.made == {}
