"""From architectures to networks and jobs, of the space at hand or the catalogued one."""

from __future__ import annotations

import pytest
import torch

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.engine.jobs import home_of, job_of, network_of
from surgenas.spaces.macro import Macro
from surgenas.spaces.nasbench201 import NASBench201
from surgenas.testing import Planted


def test_the_space_at_hand_is_taken_if_the_architecture_is_of_it():
    space, other = Planted(), Macro(resolution=16)
    arch = moves.uniform_architecture(space, "k3e3")
    assert home_of(arch, space) is space
    found = home_of(moves.uniform_architecture(other, "k3e3"), space)
    assert (type(found), found.spec) == (Macro, other.spec), "the catalogued one that it names"
    with pytest.raises(UsageError):
        home_of(arch)


def test_a_network_is_the_one_that_the_space_builds():
    space = Planted()
    with torch.no_grad():
        assert network_of(moves.uniform_architecture(space, "k3e3"), space)(torch.zeros(2, 3, 16, 16)).shape == (2, 10)


def test_a_job_is_of_the_network_and_knows_its_architecture():
    space = NASBench201(resolution=16)
    one = space.parse("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|")
    other = space.parse("|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|none~0|skip_connect~1|none~2|")
    jobs = [job_of(arch) for arch in (one, other)]
    assert jobs[0].key == jobs[1].key == moves.canonical_key(space, one)
    assert [job.arch for job in jobs] == [one, other]
    assert jobs[0].input_shape == (3, 16, 16)
    assert not jobs[0].module.training
