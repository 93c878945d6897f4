"""Which images may a search train on, and which does it judge candidates by?"""

from __future__ import annotations

from surgenas.methods.base import Needs
from surgenas.tasks.data import Dataset, Images, hold_out

HELD_OUT, MOST_HELD_OUT, LEAST_HELD_OUT = 0.2, 2000, 400
"""HELD_OUT: share of the training part that candidates are judged by and that the search does not train on.
MOST_HELD_OUT, LEAST_HELD_OUT: the most such images, for small and for large images."""
HALF, MOST_BYTES = 0.5, 2**30
"""The share for methods that learn from these images too, and what they may take in memory."""
LARGE = 96
"""From this height and width on, fewer images than MOST_HELD_OUT are held out."""


def split(data: Dataset, needs: Needs, seed: int) -> Images:
    """The images of a run, split if the method judges candidates by images held out, or learns from these.

    Of large images fewer are held out, because the activations of all of them are in memory at once.
    """
    if needs.data == "one":
        return Images(data, data)
    if needs.data == "halves":
        return Images(data, *hold_out(data, HALF, MOST_BYTES // (12 * data.resolution**2), seed))
    fits = MOST_HELD_OUT * min(1.0, (LARGE / data.resolution) ** 2)
    search, aside = hold_out(data, HELD_OUT, max(LEAST_HELD_OUT, int(fits)), seed)
    return Images(data, search, aside)
