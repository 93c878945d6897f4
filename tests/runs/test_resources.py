"""Limits beside the latency are on what the target counts, and a network that breaks one says by how much."""

from __future__ import annotations

import pytest

from surgenas.core.errors import UsageError
from surgenas.runs.resources import check_resources, excess, keeps, reached_excess, resources_of
from tests.runs.written import estimated, new_run

PAPER = 'estimator = "roofline"\npeak_gmacs = 10.0\nbandwidth_gbs = 5.0\n'


@pytest.fixture
def paper(tmp_path):
    (tmp_path / "paper.toml").write_text(PAPER)
    return str(tmp_path / "paper.toml")


@pytest.mark.parametrize(
    ("limit", "why"),
    [({"ms": 3}, "the limit of the latency is --latency"), ({"sram": 9}, "--limit sram: paper counts bytes, macs")],
)
def test_a_limit_on_what_is_not_counted_is_refused(tmp_path, paper, limit, why):
    with pytest.raises(UsageError, match=why):
        check_resources(new_run(tmp_path / "run", device=paper, limits=limit))


def test_where_time_alone_is_counted_no_further_limit_is_taken(tmp_path):
    with pytest.raises(UsageError, match="counts time alone"):
        check_resources(new_run(tmp_path / "run", limits={"sram": 9}))


def test_a_limit_is_read_with_its_unit_and_kept_as_a_number(tmp_path, paper):
    run = new_run(tmp_path / "run", device=paper, limits={"bytes": "2KB", "macs": 5})
    check_resources(run)
    assert run.config.target.limits == {"bytes": 2048.0, "macs": 5.0}


def test_a_network_keeps_to_limits_up_to_the_last_of_it(tmp_path):
    run = new_run(tmp_path / "run", limits={"cycles": 2e5})
    assert keeps(run, estimated(2.0))
    assert excess(run, estimated(2.0)) == ""
    assert not keeps(run, estimated(2.5))
    assert excess(run, estimated(2.5)) == "250,000 cycles (limit 200,000 cycles)"


def test_what_the_extremes_need_is_known_from_the_first_measurements(tmp_path):
    run = new_run(tmp_path / "run", limits={"cycles": 2e5})
    for ms in (1.0, 4.0):
        run.journal.append("measured", step="reach", turn=0, key=str(ms), genes=[], cost=estimated(ms).to_dict())
    assert reached_excess(run) == ("", "400,000 cycles (limit 200,000 cycles)")
    assert reached_excess(new_run(tmp_path / "free")) == ("", "")
    assert [(one.unit, one.value, one.limit) for one in resources_of(run, estimated(1.0))] == [("cycles", 1e5, 2e5)]
    assert resources_of(run, None) == ()
