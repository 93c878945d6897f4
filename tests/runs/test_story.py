"""What the report page draws is what the journal tells."""

from __future__ import annotations

import json

from surgenas.runs.story import Story, tell_story
from tests.runs.written import new_run, written_run


def test_the_story_holds_what_the_journal_tells(tmp_path):
    run = written_run(tmp_path / "run")
    run.journal.append("trained", network="MobileNetV2", epoch=0, loss=1.5, accuracy=0.4)
    run.journal.append("trained", network="found", epoch=1, loss=0.5, accuracy=0.6)
    story = tell_story(run)
    assert [e["loss"] for e in story.training["found"]] == [1.0, 0.5]
    assert [*story.training] == ["found", "MobileNetV2"]
    assert story.target.key == "toy/1"
    assert story.data["test"] == 359
    assert story.held_out.measured_ms == (1.1,)
    assert [layer.name for layer in story.layers] == ["stem", "layer1"]


def test_what_is_not_known_yet_is_left_out(tmp_path):
    story = tell_story(new_run(tmp_path / "run"))
    assert (story.target, story.epochs, story.layers, story.rounds) == (None, (), (), None)


def test_it_survives_json(tmp_path):
    run = written_run(tmp_path / "run")
    run.journal.append("trial", key="k", rung=0, genes=["k3e3"], score=0.5, latency_ms=None)
    story = tell_story(run)
    assert Story.from_json(json.loads(json.dumps(story.to_json(), allow_nan=False))) == story
