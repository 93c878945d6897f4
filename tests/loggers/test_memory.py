"""What a place calls a run is known in the next session, and no sooner lost than its file."""

from __future__ import annotations

import pytest

from surgenas.core.errors import CorruptError
from surgenas.loggers.memory import FILE, places, remember


def test_places_are_remembered_with_their_last_word(tmp_path):
    assert places(tmp_path) == {}
    remember(tmp_path, "mlflow")
    remember(tmp_path, "tensorboard=logs", "logs/1")
    assert places(tmp_path) == {"mlflow": "", "tensorboard=logs": "logs/1"}
    remember(tmp_path, "mlflow", "id")
    remember(tmp_path, "mlflow")
    assert places(tmp_path)["mlflow"] == "id"


@pytest.mark.parametrize("text", ["{", "[]", '{"mlflow": 1}'])
def test_a_damaged_file_is_said(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(CorruptError, match="delete it to begin all logs anew"):
        places(tmp_path)
