"""The command line. Each command calls one typed function."""

from surgenas.cli import jobs, lab, look, measuring, predicting
from surgenas.cli.ending import end_well
from surgenas.cli.options import app

__all__ = ["app", "jobs", "lab", "look", "main", "measuring", "predicting"]


def main() -> None:
    """Run a command; every error that a user can cause ends in one line and its exit code."""
    end_well(app)
