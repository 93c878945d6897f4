"""Which numbers belong together? A union-find over the numbers 0 .. n - 1 that joins whole arrays at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Numbers = NDArray[np.int64]
NONE = -1
"""Stands where a number could be, and is joined with nothing."""


class Joined:
    """Sets of numbers, each known by its least number, the root."""

    def __init__(self) -> None:
        self._parent: Numbers = np.zeros(0, dtype=np.int64)

    def more(self, count: int) -> Numbers:
        """The next numbers that are not in use, each a set of its own, (count,)."""
        fresh = np.arange(len(self._parent), len(self._parent) + count)
        self._parent = np.concatenate([self._parent, fresh])
        return fresh

    def roots(self, numbers: Numbers) -> Numbers:
        """The root of each number, of their shape; NONE stays."""
        found = np.where(numbers >= 0, self._parent[numbers], numbers)
        while True:
            above = np.where(found >= 0, self._parent[found], found)
            if (above == found).all():
                return found
            found = above

    def join(self, left: Numbers, right: Numbers) -> None:
        """Put left[i] and right[i], of one shape, into one set; where either is NONE nothing happens."""
        left, right = self.roots(left).ravel(), self.roots(right).ravel()
        apart = (left >= 0) & (right >= 0) & (left != right)
        if not apart.any():
            return
        left, right = left[apart], right[apart]
        seen = np.zeros(len(self._parent), dtype=np.bool_)
        seen[left] = seen[right] = True
        numbers = np.flatnonzero(seen)
        place = np.empty(
            len(self._parent), dtype=np.int64
        )  # of a number among them; sorting would take most of the time
        place[numbers] = np.arange(len(numbers))
        edges = coo_array((np.ones(len(left)), (place[left], place[right])), shape=(len(numbers), len(numbers)))
        parts, part = connected_components(edges, directed=False)
        least = np.empty(parts, dtype=np.int64)
        least[part[::-1]] = numbers[::-1]  # of several values for one place the last stays
        self._parent[numbers] = least[part]
