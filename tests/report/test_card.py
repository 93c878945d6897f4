"""The model card: what hubs read of it, what a person reads, and that no name by a user means anything in it."""

from __future__ import annotations

import pytest
from huggingface_hub import ModelCard

from surgenas.report.card import CARD, write_card
from surgenas.runs.names import FOUND
from tests.runs.written import estimated, new_run, written_run


def card_of(run) -> str:
    write_card(run)
    return (run.folder / CARD).read_text()


def test_hubs_read_what_it_is_and_how_good(tmp_path):
    run = written_run(tmp_path / "run")
    read = ModelCard(card_of(run))
    assert read.data.library_name == "onnx"
    assert "image-classification" in read.data.tags
    (result,) = read.data.eval_results
    assert (result.dataset_name, result.metric_type, result.metric_value) == ("digits", "accuracy", 0.9)


def test_a_person_reads_how_good_it_is_beside_others_and_how_it_is_used(tmp_path):
    text = card_of(written_run(tmp_path / "run"))
    assert "| found | 90.00% | 2 ms | - |" in text
    assert "| MobileNetV2 | 80.00% | 2.1 ms | 1.05 (" in text
    assert "was measured on" in text
    assert "grade A" in text
    assert "| dog | 1 | 50% |" in text
    assert 'onnxruntime.InferenceSession("model.onnx")' in text
    assert "4,100 images passed" in text


def test_an_estimate_is_not_called_measured(tmp_path):
    text = card_of(written_run(tmp_path / "run", beside={}, costs={FOUND: estimated(2.0)}))
    assert "The latency of 2 ms is an estimate; nothing was timed." in text
    assert "was measured" not in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("<script>x", "&lt;script&gt;x"), ("a|b", r"a\|b"), ("[here](x)", r"\[here\](x)"), ("two\nlines", "two lines"),
        ("**", r"\*\*"),
    ],
)  # fmt: skip
def test_names_mean_nothing(tmp_path, name, said):
    run = written_run(tmp_path / "run")
    event = run.journal.last("data")
    run.journal.append("data", **{**{k: v for k, v in event.items() if k != "event"}, "name": name})
    assert f" images of {said}.\n" in card_of(run)


def test_a_network_that_is_not_exported_has_none(tmp_path):
    run = new_run(tmp_path / "run")
    write_card(run)
    assert not (run.folder / CARD).exists()
