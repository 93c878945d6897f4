"""Where is a run written to, and what is it called there? A file in its folder knows, for later sessions."""

from __future__ import annotations

import json
from pathlib import Path

from surgenas.core.errors import CorruptError
from surgenas.core.files import write_atomic

FILE = "logs.json"


def places(folder: Path) -> dict[str, str]:
    """Every place as it was asked for (`tensorboard`, `mlflow=URI`), with what it calls the run, empty if not known.

    Raises CorruptError if the file does not say so.
    """
    path = folder / FILE
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CorruptError(f"{path} cannot be read ({error}); delete it to begin all logs anew") from error
    if not isinstance(found, dict) or not all(isinstance(word, str) for word in found.values()):
        raise CorruptError(f"{path} holds no names of logs; delete it to begin all logs anew")
    return found


def remember(folder: Path, to: str, word: str = "") -> None:
    """Note a place and what it calls the run. A word that is known is kept unless there is a new one."""
    known = places(folder)
    if to not in known or (word and known[to] != word):
        write_atomic(folder / FILE, json.dumps({**known, to: word}, indent=1).encode() + b"\n")
