"""Contract checks for your own spaces, predictors, runtimes, targets and searches, and small stand-ins to test against.

from surgenas.testing import check_space
def test_my_space(): check_space(MySpace())
"""

from surgenas.testing.accuracy import check_accuracy_predictor
from surgenas.testing.doubles import (
    BRIEF,
    MuteDevice,
    Planted,
    ToyDevice,
    ZeroPredictor,
    brief_device,
    brief_int8_device,
    toy_device,
)
from surgenas.testing.memory import held_bytes
from surgenas.testing.searches import check_search
from surgenas.testing.spaces import check_predictor, check_space
from surgenas.testing.targets import check_runtime, check_target

__all__ = [
    "BRIEF",
    "MuteDevice",
    "Planted",
    "ToyDevice",
    "ZeroPredictor",
    "brief_device",
    "brief_int8_device",
    "check_accuracy_predictor",
    "check_predictor",
    "check_runtime",
    "check_search",
    "check_space",
    "check_target",
    "held_bytes",
    "toy_device",
]
