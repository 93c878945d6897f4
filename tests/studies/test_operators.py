"""The operators that devices like: what is kept, what is dropped and why, and the space that is left."""

from __future__ import annotations

import json

import pytest

from surgenas import api
from surgenas.core.architecture import read_space
from surgenas.core.errors import UsageError
from surgenas.report.text import operators_table
from surgenas.studies.operators import OTHER_B, OTHER_KEEP, Operators
from tests.runs.written import TOY, new_run


def test_what_a_device_cannot_run_is_left_out_and_what_is_left_is_a_space(tmp_path):
    found = api.operators(["tests.runs.written:PickyDevice"], tmp_path, space="shuffle", resolution=16, keep=2, b=0.5)
    (chosen,) = found.devices.values()
    said = {row.operator: row.why for row in chosen.operators}
    assert [name for name, why in said.items() if why == "the device cannot run it"] == ["x"]
    assert sum(row.kept for row in chosen.operators) == 2
    assert "kept" in operators_table(found)
    assert (tmp_path / "operators.html").exists()
    assert dict(read_space(chosen.space).settings)["pool"] == chosen.pool
    run = new_run(tmp_path / "run", space=chosen.space)
    assert set(run.space.choices[0].options) == set(chosen.pool.split(","))
    assert Operators.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found
    assert json.loads((tmp_path / "operators.json").read_text()).keys() == found.devices.keys()


def test_each_device_has_its_own_and_says_what_other_settings_would_keep(tmp_path):
    devices = [TOY, "surgenas.testing:MuteDevice"]
    found = api.operators(devices, tmp_path, space="shuffle", resolution=16, keep=2)
    assert [*found.devices] == devices
    one, other = found.devices.values()
    assert one.pool == other.pool, "both time alike"
    assert one.space != other.space
    assert one.others.keys() == {f"b {b:g}" for b in OTHER_B} | {f"keep {k}" for k in OTHER_KEEP}
    assert one.others["keep 2"] == one.others["b 1"] == one.pool
    assert len(one.others["keep 8"].split(",")) == 4, "no more than there are"


@pytest.mark.parametrize(
    ("how", "named"),
    [
        ({"space": "mobile"}, "use operators or shuffle"),
        ({"space": "shuffle", "keep": 5}, "expected 1 to 4"),
        ({"keep": 0}, "--keep 0"),
        ({"b": float("nan")}, "--b nan"),
    ],
)
def test_what_cannot_be_chosen_is_refused(tmp_path, how, named):
    with pytest.raises(UsageError, match=named):
        api.operators(out=tmp_path / "out", **{"resolution": 16, **how})
