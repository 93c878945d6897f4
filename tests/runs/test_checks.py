"""What would fail after time was spent is refused before; spaces from outside: tests/test_outside.py."""

from __future__ import annotations

import pytest

from surgenas.core.errors import UsageError
from surgenas.runs.checks import check_names
from surgenas.runs.flow import prepare


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"space": "single_path"}, "--space mobile"),
        ({"method": "random", "start": "inherit"}, "--start inherit: random trains no weights that networks share"),
        ({"samples": 3}, "--samples 3: a search learns latency from"),
        ({"cutout": 16}, "--cutout 16: of 16 px nothing would be left"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_measured(fresh, images, asked, says):
    run = fresh(data=images, **asked)
    with pytest.raises(UsageError, match=says):
        check_names(run)
    assert not run.journal.all("measured")


def test_what_fits_is_let_through_also_without_a_search(fresh, images):
    check_names(fresh(data=images))
    check_names(fresh("drawn", data=images, method="drawn"))


def test_a_time_limit_that_is_too_short_for_anything_is_told(fresh, images, listener):
    prepare(fresh(progress=listener, data=images, device="roofline-example", time_limit_s=2.0, samples=12))
    assert any("--time-limit 2 s is too short even for what is least of use" in line for line in listener.said)
