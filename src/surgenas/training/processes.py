"""How do errors of processes that train together reach whoever started them? As what they are, in one line."""

from __future__ import annotations

import re
from collections.abc import Callable

from lightning_fabric import Fabric
from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

from surgenas.core import errors

RAISED = re.compile(r"^surgenas\.core\.errors\.(\w+): (.*)$", re.MULTILINE)
"""The line of a traceback that says an error of ours."""


def launch(fabric: Fabric, rank: Callable[[Fabric], None]) -> None:
    """Run this in all processes of a Fabric. Raises the error of ours that one of them raised, and EnvironmentFault if
    one was killed."""
    try:
        fabric.launch(rank)
    except ProcessRaisedException as error:
        found = RAISED.findall(str(error))
        if not found:
            raise
        name, text = found[-1]
        raise getattr(errors, name)(text) from error
    except ProcessExitedException as error:
        raise errors.EnvironmentFault(
            f"process {error.error_index} of those that train together ended by itself (exit code {error.exit_code}); "
            "what was finished is kept: go on, with fewer --processes if memory is short"
        ) from error
