"""Which images are kept aside to test with? The same for all seeds, and never a copy of one that is learnt from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from surgenas.core.errors import DataError
from surgenas.core.seeds import generator

TEST_SHARE = 0.2


def to_test_with(labels: Tensor, classes: Sequence[str], digests: Sequence[bytes] | None = None) -> Tensor:
    """(N,) truths: of every class a share of its different images, at least one, and all their copies.

    digests: by which copies are told; None if there are none. Raises DataError for a class of fewer than 2 different
    images, where an image that stands in several classes counts for the first.
    """
    rng = generator(0, "split")
    first = _first_of_each(digests) if digests is not None else np.arange(len(labels))
    distinct = first == np.arange(len(labels))
    chosen = np.zeros(len(labels), dtype=bool)
    for label, name in enumerate(classes):
        of_class = np.flatnonzero((labels.numpy() == label) & distinct)
        if len(of_class) < 2:
            raise DataError(f"class {name} has {len(of_class)} readable image(s) that are no copies of others; at least"
                            " 2 are needed, to learn from one and to test with the other")  # fmt: skip
        chosen[rng.permutation(of_class)[: max(1, round(TEST_SHARE * len(of_class)))]] = True
    return torch.from_numpy(chosen[first])


def note_copies(labels: Tensor, digests: Sequence[bytes]) -> list[str]:
    """What a person should know of files that are copies of others; nothing if there are none."""
    first = _first_of_each(digests)
    copies = first != np.arange(len(first))
    apart = labels.numpy() != labels.numpy()[first]
    notes = []
    if copies.any():
        notes.append(f"{copies.sum()} image(s) are exact copies of others; kept on the same side of the split")
    if apart.any():
        notes.append(f"{apart.sum()} image(s) are copies of one in another class; check their labels")
    return notes


def _first_of_each(digests: Sequence[bytes]) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """The index of the first equal digest, of each."""
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(digest, i) for i, digest in enumerate(digests)], dtype=np.intp)
