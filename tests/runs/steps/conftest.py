"""Half a run: its predictor is chosen, nothing is searched yet."""

from __future__ import annotations

import pytest

from surgenas.core.progress import Progress
from surgenas.runs.config import make_config
from surgenas.runs.run import Run
from tests.runs.written import TOY


@pytest.fixture
def fresh(tmp_path):
    """A new run with these words."""

    def make(name: str = "run", progress: Progress | None = None, **words: object) -> Run:
        config = make_config(**{"device": TOY, "resolution": 16, **words})
        return Run.create(tmp_path / name, config, progress or Progress())

    return make
