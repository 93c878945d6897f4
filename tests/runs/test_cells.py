"""Cells through the whole job: a selection that is cut off goes on, and the page draws what was found."""

from __future__ import annotations

from pathlib import Path

import pytest

import surgenas
from surgenas.core.errors import UsageError
from surgenas.core.progress import Progress
from surgenas.report.page import page
from surgenas.runs.flow import prepare
from surgenas.runs.run import Run
from surgenas.runs.story import tell_story
from surgenas.runs.summary import summarize
from surgenas.spaces.darts import Darts
from tests.runs.written import pictures

CELLS = {
    "space": "darts", "space_settings": {"channels": 4, "layers": 3, "operators": "s2"}, "resolution": 8,
    "method": "darts-pt", "method_settings": {"tuning": 1}, "epochs": 1, "random": 0, "random_at_equal_latency": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory, tiny) -> surgenas.Result:
    how = {**tiny, **CELLS, "cutout": 2, "drop_path": 0.2, "auxiliary": 0.4}
    return surgenas.search(out=tmp_path_factory.mktemp("cells") / "run", **how)


def test_a_selection_by_perturbation_is_a_whole_job(found):
    arch = found.architecture
    space = Darts(**dict(arch.space.settings))
    assert space.parse(space.genotype(arch)) == arch
    run = Run.open(Path(found.run), Progress())
    epochs = [event["summary"] for event in run.journal.all("epoch")]
    assert len(epochs) >= 1 + 16, "and more if no cell of that latency was found at once"
    assert sum(len(epoch["decisions"]) for epoch in epochs) == 28 + 12
    weights = surgenas.load(found.run)
    assert not any(name.startswith("auxiliary") for name in weights.state_dict())


def test_the_page_draws_cells_probabilities_and_decisions(found):
    run = Run.open(Path(found.run), Progress())
    html = page(summarize(run), tell_story(run))
    for title in ("Cells", "Operators over time", "Decisions"):
        assert f"<h2>{title}</h2>" in html


@pytest.mark.parametrize(("words", "said"), [
    ({"space": "mobile", "space_settings": {}, "method": "surgenas", "method_settings": {}, "drop_path": 0.2},
     "--drop-path: these networks have no paths"),
    ({"space": "nasbench201", "space_settings": {"channels": 4, "repeats": 1}, "auxiliary": 0.4},
     "--auxiliary: these networks have no place"),
    ({"cutout": 8}, "--cutout 8: of 8 px nothing would be left"),
    ({"space": "concat", "space_settings": {"widths": "8", "depths": "2", "links": "0,5"}, "method": "random",
      "method_settings": {}}, "space 'concat' has a single network, so that nothing can be searched"),
])  # fmt: skip
def test_what_networks_lack_is_refused_before_anything_is_measured(fresh, images, words, said):
    run = fresh(**{**CELLS, "data": images, **words})
    with pytest.raises(UsageError, match=said):
        prepare(run)
    assert not run.is_done("reach")


def test_too_few_images_to_hold_out_are_told_before_anything_is_measured(fresh, tmp_path):
    """Of sixty a fifth is kept to test with, half of the others is held out."""
    run = fresh(**{**CELLS, "data": str(pictures(tmp_path / "few", each=20))})
    with pytest.raises(UsageError, match=r"darts-pt needs images .* and 24 are too few .* 30 or more"):
        prepare(run)
    assert not run.journal.all("measured")
