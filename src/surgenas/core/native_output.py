"""What does compiled code say, which writes past sys.stdout and sys.stderr?"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def native_output() -> Iterator[Callable[[], list[str]]]:
    """Keep to itself what this process writes to descriptors 1 and 2 while the block runs.

    Gives a function that returns the lines written so far, without those that are empty.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    with tempfile.TemporaryFile("w+", errors="replace") as kept:

        def said() -> list[str]:
            kept.seek(0)
            return [line.strip() for line in kept if line.strip()]

        saved = {target: os.dup(target) for target in (1, 2)}
        try:
            for target in saved:
                os.dup2(kept.fileno(), target)
            yield said
        finally:
            for target, copy in saved.items():
                os.dup2(copy, target)
                os.close(copy)
