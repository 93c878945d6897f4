"""Processes that help meet their leader, and end when it does; what they compute together is in test_team.py."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import closing

import pytest

from surgenas.training.members import is_lost, take_part


def test_whoever_was_not_started_by_torchrun_leads_itself():
    assert not take_part()


def test_an_error_that_says_something_else_is_no_lost_process():
    assert is_lost(RuntimeError("[x/gloo/transport/tcp/pair.cc:545] Connection closed by peer [127.0.0.1]:4"))
    assert not is_lost(RuntimeError("no connection between layer 3 and layer 4"))
    assert not is_lost(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


@pytest.mark.slow
def test_two_that_torchrun_would_start_meet_and_end_together(tmp_path):
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = (
        "import sys\n"
        "from surgenas.training.members import take_part\n"
        "from surgenas.training.team import Team\n"
        "if take_part():\n"
        "    print('helped'); sys.exit()\n"
        "for _ in range(2):\n"
        "    team = Team('cpu')\n"
        "    print(team.count, team.run(repr)[:7])\n"
        "    team.close()\n"
    )
    started = []
    for rank in range(2):
        place = {"RANK": rank, "WORLD_SIZE": 2, "LOCAL_RANK": 0, "LOCAL_WORLD_SIZE": 1, "MASTER_ADDR": "127.0.0.1"}
        env = {**os.environ, **{name: str(value) for name, value in place.items()}, "MASTER_PORT": str(port)}
        started.append(subprocess.Popen([sys.executable, "-c", script], env=env, stdout=subprocess.PIPE, text=True))
    said = [process.communicate(timeout=120)[0].split() for process in started]
    assert said == [["2", "<lightn", "2", "<lightn"], ["helped"]]
    assert [process.returncode for process in started] == [0, 0]
