"""A campaign is a value: it and its answer go through a wire unchanged, and what is none is refused there."""

from __future__ import annotations

import contextlib
import io
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from surgenas.core.errors import SurgenasError, UsageError
from surgenas.hardware.runtimes import Runtime
from surgenas.hardware.timed.measurement import Block, Round
from surgenas.hardware.timed.session import (
    HEAVY_BYTES,
    HIDDEN,
    Answer,
    Greeting,
    Network,
    Request,
    answer_message,
    parse_answer,
    parse_greeting,
    parse_request,
    perform,
    request_message,
)
from surgenas.hardware.timed.timing import Campaign, Protocol
from surgenas.hardware.timed.wire import Message, WireError, read, write

many = settings(deadline=None, max_examples=40)
SHORT = Protocol(rounds=3, max_rounds=3, warmup_s=0.0, block_ms=0.1, min_runs=2, backoff_s=())
NUMBERS = st.floats(0.0, 1e9)
NAMES = st.text(min_size=1, max_size=8)

DTYPES = ("float32", "float16", "uint8", "int8")
networks = st.builds(Network, st.binary(max_size=30), st.tuples(*[st.integers(1, 9)] * 4), st.sampled_from(DTYPES))
protocols = st.builds(
    Protocol,
    rounds=st.integers(1, 99),
    half_width=NUMBERS,
    backoff_s=st.lists(NUMBERS, max_size=3).map(tuple),
    duplicates=st.integers(0, 9),
    fresh=st.booleans(),
    campaigns=st.integers(1, 9),
)
requests = st.builds(
    Request,
    runtime=NAMES,
    precision=NAMES,
    threads=st.integers(1, 64),
    networks=st.dictionaries(NAMES, networks, max_size=3),
    reference=networks,
    reference_ms=NUMBERS | st.just(math.inf),
    protocol=protocols,
    seed=st.integers(0, 2**63),
)
blocks = st.lists(st.tuples(NUMBERS, st.booleans()), min_size=1, max_size=3).map(
    lambda runs: Block(tuple(ms for ms, _ in runs), tuple(ok for _, ok in runs))
)
visits = st.dictionaries(NAMES, st.lists(st.builds(Round, blocks, blocks, blocks), max_size=2).map(tuple), max_size=2)
answers = st.builds(
    Answer,
    st.builds(Campaign, visits, st.lists(NUMBERS, max_size=4).map(tuple), st.floats(0, 1), NUMBERS | st.just(math.inf),
              visits),
    st.dictionaries(NAMES, arrays(np.float32, array_shapes(max_dims=3, max_side=3)), max_size=2),
    st.dictionaries(st.text(), st.none() | st.floats(allow_nan=False) | st.text() | st.lists(st.integers())),
)  # fmt: skip


def sent(message):
    """Through bytes, as between two machines."""
    stream = io.BytesIO()
    write(stream, message)
    stream.seek(0)
    return read(stream)


@many
@given(requests)
def test_a_request_arrives_as_it_was_sent(request_):
    assert parse_request(sent(request_message(request_))) == request_


@many
@given(answers)
def test_an_answer_arrives_with_every_run_and_output(answer):
    found = parse_answer(sent(answer_message(answer)))
    assert found.campaign == answer.campaign
    assert found.context == answer.context
    assert list(found.outputs) == list(answer.outputs)
    for name, output in answer.outputs.items():
        assert np.array_equal(found.outputs[name], output, equal_nan=True)
        assert found.outputs[name].shape == output.shape


REQUEST = Request("onnxruntime", "fp32", 1, {"a": Network(b"model", (1, 3, 8, 8))}, Network(b"r", (1, 3, 4, 4)),
                  1.0, Protocol(), 0)  # fmt: skip
ROUND = Round(*(Block((1.0, 2.0), (True, False)) for _ in range(3)))
ANSWER = Answer(Campaign({"a": (ROUND,)}, (1.0,), 0.0, 1.0), {"a": np.zeros((1, 2), np.float32)}, {})
JUNK = st.none() | st.text(max_size=3) | st.lists(st.integers(-9, 9), max_size=3) | st.just({"x": [1]})


@many
@given(st.data())
def test_a_campaign_with_a_part_missing_or_of_another_kind_is_refused(data):
    message = request_message(REQUEST)
    part = data.draw(st.sampled_from(sorted(message.values)))
    others = {name: value for name, value in message.values.items() if name != part}
    with pytest.raises(WireError, match="a campaign that cannot be understood"):
        parse_request(replace(message, values=others))
    if part in ("threads", "seed", "shapes", "dtypes", "protocol"):
        with pytest.raises(WireError, match="a campaign that cannot be understood"):
            parse_request(replace(message, values=others | {part: "what"}))


@pytest.mark.parametrize("blobs", [(), (b"model",), (b"model", b"r", b"one too many")])
def test_a_campaign_with_a_model_too_few_or_too_many_is_refused(blobs):
    with pytest.raises(WireError, match="a campaign that cannot be understood"):
        parse_request(replace(request_message(REQUEST), blobs=blobs))


@many
@given(st.data())
def test_an_answer_that_is_damaged_is_a_wire_error_or_an_answer_and_nothing_else(data):
    message = answer_message(ANSWER)
    part = data.draw(st.sampled_from(sorted(message.values)))
    others = {name: value for name, value in message.values.items() if name != part}
    with pytest.raises(WireError, match="an answer that cannot be understood"):
        parse_answer(replace(message, values=others))
    with contextlib.suppress(WireError):
        assert isinstance(parse_answer(replace(message, values=others | {part: data.draw(JUNK)})), Answer)


def test_a_failure_on_the_far_side_is_told_in_its_words():
    with pytest.raises(SurgenasError, match="no kernel for this") as caught:
        parse_answer(Message("failed", {"why": "no kernel for this"}))
    assert not isinstance(caught.value, WireError), "nothing was lost on the way: it is not tried again"
    with pytest.raises(SurgenasError, match="without saying why"):
        parse_answer(Message("failed"))


def test_a_greeting_names_host_processor_and_runtimes():
    values = {"host": "pi", "processor": "A76", "runtimes": {"onnxruntime": "1.2"}}
    assert parse_greeting(sent(Message("hello", values))) == Greeting("pi", "A76", {"onnxruntime": "1.2"})
    with pytest.raises(WireError, match="expected a greeting, got 'answer'"):
        parse_greeting(Message("answer", values))
    for wrong in ({}, values | {"runtimes": ["onnxruntime"]}, values | {"host": None}):
        with pytest.raises(WireError, match="a greeting that cannot be understood"):
            parse_greeting(Message("hello", wrong))


# --- carried out


class Instant(Runtime):
    """Computes the sum of its images at once; a model is any bytes. Writes down what was asked of it."""

    name = "instant"
    version = "1"
    prepared: tuple = ()

    def convert(self, network, input_shape, batch):
        return b""

    def prepare(self, model, images, threads, precision):
        Instant.prepared = (*Instant.prepared, (model, threads, precision))
        return lambda: images.sum((2, 3))


def campaign(models, **how):
    everything = {name: Network(model, (1, 3, 4, 4)) for name, model in models.items()}
    return Request(f"{__name__}:Instant", "fp32", 2, everything, Network(b"r", (1, 3, 2, 2)), math.inf,
                   replace(SHORT, **how), 5)  # fmt: skip


def test_every_network_is_prepared_once_as_asked_and_told_of(monkeypatch):
    monkeypatch.setattr(Instant, "prepared", ())
    told = []
    answer = perform(campaign({"a": b"A", "b": b"B"}), lambda: told.append(len(Instant.prepared)))
    assert Instant.prepared == ((b"A", 2, "fp32"), (b"B", 2, "fp32"), (b"r", 2, "fp32"))
    assert told == [1, 2, 3], "whoever waits hears of each"
    assert list(answer.campaign.rounds) == list(answer.outputs) == ["a", "b"]
    assert all(len(rounds) == 3 for rounds in answer.campaign.rounds.values())
    assert np.allclose(answer.outputs["a"], Network(b"", (1, 3, 4, 4)).images.sum((2, 3)))
    assert answer.context["seed"] == 5
    assert answer.pairs == ()


def test_hidden_twins_are_of_light_networks_while_there_are_any():
    heavy = bytes(HEAVY_BYTES)
    mixed = perform(campaign({"heavy": heavy, "light": b"L"}, duplicates=2))
    assert set(mixed.campaign.rounds) == {"heavy", "light", f"{HIDDEN}light"}
    assert len(mixed.pairs) == 1
    alone = perform(campaign({"heavy": heavy}, duplicates=2))
    assert set(alone.campaign.rounds) == {"heavy", f"{HIDDEN}heavy"}
    assert set(alone.outputs) == {"heavy"}, "a twin is measured and not checked again"


def test_which_networks_have_a_twin_is_a_matter_of_the_seed():
    request_ = campaign({name: name.encode() for name in "abcd"}, duplicates=1, rounds=1, max_rounds=1, min_runs=1)

    def twins(seed):
        return {name for name in perform(replace(request_, seed=seed)).campaign.rounds if name.startswith(HIDDEN)}

    first = twins(0)
    assert twins(0) == first
    assert any(twins(seed) != first for seed in range(1, 9))


def test_a_pair_is_how_much_two_equal_networks_differ():
    def visited(ms):
        return (Round(Block((1.0,), (True,)), Block((ms,), (True,)), Block((1.0,), (True,))),) * 5

    seen = {"a": visited(2.0), "b": visited(9.0), f"{HIDDEN}a": visited(2.2)}
    assert Answer(Campaign(seen, (), 0.0, 1.0), {}, {}).pairs == pytest.approx((math.log(1.1),))


def test_both_sides_of_a_wire_measure_with_the_same_images():
    one, other = Network(b"x", (2, 3, 8, 8)), Network(b"y", (2, 3, 8, 8))
    assert np.array_equal(one.images, other.images)
    assert one.images.dtype == np.float32
    assert one.images.shape == (2, 3, 8, 8)


@pytest.mark.parametrize("dtype", DTYPES)
def test_images_are_of_the_type_that_a_network_asks_for_and_no_other_is_taken(dtype):
    images = Network(b"x", (2, 3, 8, 8), dtype).images
    assert images.dtype == dtype
    assert len(np.unique(images)) > 100, "any of its values"
    message = request_message(REQUEST)
    for bad in ("object", "V16", "float64"):
        with pytest.raises(WireError, match="a campaign that cannot be understood"):
            parse_request(replace(message, values=message.values | {"dtypes": [bad, dtype]}))


def test_an_unknown_runtime_is_named():
    with pytest.raises(UsageError, match="unknown runtime 'abacus'"):
        perform(replace(REQUEST, runtime="abacus"))
