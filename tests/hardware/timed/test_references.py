"""The fixed networks are the same everywhere and for ever; networks of like latency are grouped."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core.errors import UsageError
from surgenas.hardware.timed.references import MEMORY, REFERENCES, SPAN, find_reference, group_by_latency
from surgenas.nn.cost import count

EVERY = (*REFERENCES, MEMORY)


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda r: r.name)
def test_a_reference_has_the_same_weights_in_every_process_and_leaves_the_random_stream_alone(reference):
    torch.manual_seed(1)
    one = reference.build().eval()
    drawn = torch.rand(3)
    torch.manual_seed(1)
    assert torch.equal(drawn, torch.rand(3)), "whoever asked keeps the random numbers that were theirs"
    torch.manual_seed(2)
    other = reference.build().eval()
    images = torch.randn(1, *reference.input_shape)
    with torch.no_grad():
        assert torch.equal(one(images), other(images))
        assert one(images).shape == (1, 10)


def test_each_reference_is_at_least_twice_the_work_of_the_one_before():
    """Latency was found to go by two to four from one to the next."""
    macs = [count(r.build(), r.input_shape)[0] for r in REFERENCES]
    assert all(2 * small < large for small, large in pairwise(macs)), macs


def test_the_one_that_feels_the_caches_has_many_weights():
    assert 4 * count(MEMORY.build(), MEMORY.input_shape)[1] == pytest.approx(17e6, rel=0.05)


def test_every_reference_is_found_by_a_name_that_is_its_alone():
    assert [find_reference(r.name) for r in EVERY] == list(EVERY)
    assert len({r.name for r in EVERY}) == len(EVERY)
    with pytest.raises(UsageError, match=r"unknown reference network 'reference-xxl/1'; one of reference-xs/1, "):
        find_reference("reference-xxl/1")


def test_names_are_grouped_fastest_first():
    assert group_by_latency({"a": 1.0, "b": 3.9, "c": 4.1, "d": 20.0}) == [["a", "b"], ["c"], ["d"]]
    assert group_by_latency({"b": 2.0, "a": 1.0}) == [["a", "b"]]
    assert group_by_latency({}) == []


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.text(max_size=4), st.floats(1e-3, 1e3), max_size=20))
def test_groups_hold_everything_once_in_order_within_their_span_and_are_as_few_as_can_be(latency_ms):
    groups = group_by_latency(latency_ms)
    flat = [name for group in groups for name in group]
    assert [latency_ms[name] for name in flat] == sorted(latency_ms.values())
    assert sorted(flat) == sorted(latency_ms)
    firsts = [latency_ms[group[0]] for group in groups]
    assert all(latency_ms[name] <= SPAN * latency_ms[group[0]] for group in groups for name in group)
    # each group's first is out of reach of the group's before: no partition has fewer
    assert all(later > SPAN * first for first, later in pairwise(firsts))
