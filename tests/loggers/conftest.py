"""No place is remembered from one test to the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.loggers.recording import Recording


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> Iterator[None]:
    yield
    Recording.forget()
