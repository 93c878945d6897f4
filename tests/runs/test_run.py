"""A run folder: made, opened, gone on with, and what it says of a folder that is none."""

from __future__ import annotations

import json

import pytest

from surgenas.core.architecture import SpaceSpec
from surgenas.core.errors import CorruptError, SurgenasError, UsageError
from surgenas.core.progress import Progress
from surgenas.runs.config import FORMAT, make_config
from surgenas.runs.flow import CHEAP, COST, LAST, LONG
from surgenas.runs.results import STEP_OF, Derived, Planned, Reached
from surgenas.runs.run import Run
from tests.runs.written import TOY, again, new_run, written_run


def test_folders_that_are_no_run_are_refused(tmp_path):
    with pytest.raises(UsageError, match="not a run folder"):
        Run.open(tmp_path, Progress())
    run = new_run(tmp_path / "run")
    with run.timed("profile"), pytest.raises(UsageError, match="holds a run already"):
        new_run(run.folder)
    for text, kind, named in (
        (json.dumps({"format": "surgenas.run/0", "config": {}}), UsageError, r"surgenas\.run/0"),
        (json.dumps({"format": "surgenas.run/1", "config": {}}), UsageError, "this version reads"),
        (json.dumps([1]), UsageError, "None"),
        ("{", CorruptError, "cannot be read"),
        (json.dumps({"format": FORMAT, "config": {"seed": "x"}}), CorruptError, "seed"),
        (json.dumps({"format": FORMAT}), CorruptError, r"config\.json"),
    ):
        (run.folder / "config.json").write_text(text)
        with pytest.raises(kind, match=named) as error:
            Run.open(run.folder, Progress())
        assert "\n" not in str(error.value)


def test_a_run_that_was_refused_makes_room_for_the_next_unless_somebody_works_on_it(tmp_path):
    first = new_run(tmp_path / "run", seed=1)
    for step in ("operators", "reach", "plan"):
        with first.timed(step):
            pass
    with first.exclusive(), pytest.raises(SurgenasError, match="another process"):
        new_run(first.folder, seed=2)
    second = new_run(first.folder, seed=2)
    assert again(second).config.seed == 2
    assert again(second).journal.events == []


def test_a_run_is_opened_as_it_was_made(tmp_path):
    run = new_run(tmp_path / "run", seed=3, random=2, method_settings={"eta": 0.5})
    assert again(run).config == run.config
    record = json.loads((run.folder / "config.json").read_text())
    assert record["format"] == FORMAT
    assert {"surgenas", "torch"} <= record["versions"].keys()


def test_the_same_settings_go_on_and_others_are_refused(tmp_path):
    config = make_config(device=TOY, seed=1)
    first = Run.open_or_create(tmp_path / "run", config, Progress())
    first.journal.append("tick")
    assert Run.open_or_create(tmp_path / "run", config, Progress()).journal.last("tick")
    with pytest.raises(UsageError, match="holds a run with other settings"):
        Run.open_or_create(tmp_path / "run", make_config(device=TOY, seed=2), Progress())


def test_every_result_has_a_step_and_every_step_a_result():
    steps = {step.name for step in (*CHEAP, *LONG, COST, *LAST)}
    assert set(STEP_OF.values()) == steps
    assert len(set(STEP_OF.values())) == len(STEP_OF)


def test_results_are_read_by_their_kind_and_the_last_one_counts(tmp_path):
    run = new_run(tmp_path / "run")
    assert run.result(Reached) is None
    run.record("reach", Reached(1.0, 2.0, 1.5))
    run.record("reach", Reached(1.0, 3.0, 1.5))
    assert again(run).reached == Reached(1.0, 3.0, 1.5)
    assert run.result(Derived) is None


@pytest.mark.parametrize("name", ["reached", "predicted", "derived", "rivals", "verified"])
def test_what_is_not_there_yet_says_how_to_get_it(tmp_path, name):
    with pytest.raises(UsageError, match=r"is not that far yet .*surgenas resume"):
        getattr(new_run(tmp_path / "run"), name)


def test_accuracies_are_by_network(tmp_path):
    run = written_run(tmp_path / "run", 0.9, {"MobileNetV2": 0.8})
    assert (run.accuracy("found"), run.accuracy("MobileNetV2"), run.accuracy("random 1")) == (0.9, 0.8, None)


def test_time_is_counted_whether_a_step_ends_well_or_not(tmp_path):
    run = new_run(tmp_path / "run")
    with pytest.raises(KeyboardInterrupt), run.timed("search"):
        raise KeyboardInterrupt
    first = run.seconds()["search"]
    with run.timed("search"):
        pass
    assert again(run).seconds()["search"] > first >= 0
    assert len(run.journal.all("begin", step="search")) == 2


def test_other_images_than_it_began_with_are_refused(tmp_path):
    run = new_run(tmp_path / "run")
    assert len(run.data.classes) == 10
    run.journal.append("data", **{**{k: v for k, v in run.journal.last("data").items() if k != "event"},
                                  "fingerprint": "other"})  # fmt: skip
    with pytest.raises(UsageError, match="images of digits changed"):
        assert again(run).data


def test_whether_images_are_mirrored_is_decided_once(tmp_path):
    """Digits are not; a run that was begun in another way goes on in that way."""
    assert not new_run(tmp_path / "run").data.flips
    run = new_run(tmp_path / "other", flips="horizontal")
    assert run.data.flips
    known = {k: v for k, v in run.journal.last("data").items() if k != "event"}
    assert known["flips"] is True
    assert "mirrored at random (--flips horizontal)" in known["notes"][-1]
    run.journal.append("data", **{**known, "flips": False})
    assert not again(run).data.flips


def test_a_run_draws_classes_as_it_was_told(tmp_path):
    assert not new_run(tmp_path / "run").data.balanced
    run = new_run(tmp_path / "even", classes="balanced")
    assert run.data.balanced
    assert run.images.search.balanced
    assert any("every class is drawn equally often" in note for note in run.journal.last("data")["notes"])
    assert again(run).data.balanced


def test_another_target_than_it_began_with_is_refused(tmp_path):
    run = new_run(tmp_path / "run")
    run.journal.append("target", **{**run.target.describe().to_json(), "key": "toy/0"})
    with pytest.raises(UsageError, match="this run asked toy/0, here is toy/1"):
        assert again(run).target


def test_a_space_file_does_not_overrule_the_images(tmp_path):
    file = tmp_path / "space.json"
    file.write_text(SpaceSpec.of("mobile", {"resolution": 64, "classes": 3, "width": 0.5}).to_json())
    run = new_run(tmp_path / "run", space=str(file))
    assert dict(run.space.settings) | {"resolution": 16, "classes": 10, "width": 0.5} == run.space.settings


def test_a_space_of_one_size_says_which(tmp_path):
    with pytest.raises(UsageError, match=r"images of 16 x 16; use --resolution 16"):
        assert new_run(tmp_path / "run", space="surgenas.testing:Planted", resolution=32).space


def test_a_report_needs_no_images(tmp_path):
    run = new_run(tmp_path / "run", data=str(tmp_path / "gone"))
    run.journal.append("data", name="gone", fingerprint="x", classes=["a", "b"], train=8, test=2, notes=[])
    assert dict(run.space.settings)["classes"] == 2


def test_a_plan_is_kept_with_its_parts(tmp_path):
    run = written_run(tmp_path / "run")
    assert again(run).result(Planned).total_s == pytest.approx(125.0)
