"""An architecture is a value: it goes to JSON and back for any settings and genes, and a bad file is named by field."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core.architecture import (
    FORMAT,
    SPACE_FORMAT,
    Architecture,
    SpaceSpec,
    read_architecture,
    read_space,
)
from surgenas.core.errors import UsageError

names = st.text(min_size=1, max_size=12).filter(lambda text: text != "name")
values = st.one_of(st.text(max_size=12), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))
specs = st.builds(SpaceSpec.of, st.text(max_size=12), st.dictionaries(names, values, max_size=5))
archs = st.builds(Architecture, specs, st.lists(st.text(max_size=8), min_size=1, max_size=20).map(tuple))
fast = settings(max_examples=40, deadline=None)

ARCH = Architecture(SpaceSpec.of("mobile", {"layout": "small", "classes": 10}), ("k3e3", "skip"))


@given(archs)
@fast
def test_any_architecture_comes_back_from_json_equal_and_with_its_key(arch):
    again = Architecture.from_json(arch.to_json())
    assert again == arch
    assert hash(again) == hash(arch)
    assert again.key == arch.key
    assert Architecture.from_dict(json.loads(json.dumps(arch.to_dict(), indent=2))) == arch


@given(archs)
@fast
def test_the_types_of_settings_survive_json(arch):
    again = Architecture.from_json(arch.to_json())
    kinds = [[type(value) for _, value in a.space.settings] for a in (arch, again)]
    assert kinds[0] == kinds[1]


@given(archs, archs)
@fast
def test_keys_are_equal_exactly_where_architectures_are(one, other):
    assert (one.key == other.key) == (one.to_json() == other.to_json())


@given(specs)
@fast
def test_any_space_comes_back_from_its_file(tmp_path_factory, spec):
    path = tmp_path_factory.getbasetemp() / "space.json"
    path.write_text(spec.to_json())
    assert read_space(path) == spec


@given(st.dictionaries(names, values, max_size=5), st.randoms())
@fast
def test_the_order_of_settings_does_not_matter(given_settings, random):
    items = list(given_settings.items())
    random.shuffle(items)
    assert SpaceSpec.of("a", dict(items)) == SpaceSpec.of("a", given_settings)


def test_a_key_is_the_same_in_every_process_and_version():
    """A fixed number: run folders and measurement stores of before are looked up by it."""
    assert ARCH.key == "2ddb766aa29af2a5"
    assert ARCH.to_dict() == {
        "format": "surgenas.architecture/1",
        "space": {"name": "mobile", "layout": "small", "classes": 10},
        "genes": ["k3e3", "skip"],
    }


def test_an_architecture_cannot_be_changed_in_place():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ARCH.genes = ("k5e3",)
    with pytest.raises(dataclasses.FrozenInstanceError):
        ARCH.space.name = "macro"


def test_it_prints_as_people_write_it():
    assert str(ARCH) == "k3e3-skip"
    assert str(ARCH.space) == "mobile(classes=10, layout=small)"
    assert str(SpaceSpec("planted")) == "planted()"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"format": "other/1"}, "format: string should match"),
        ({"format": "surgenas.architecture/2"}, "format"),
        ({"genes": []}, "genes: list should have at least 1 item"),
        ({"genes": ["a"] * 1001}, "genes: list should have at most 1000 items"),
        ({"genes": [1]}, r"genes\.0: input should be a valid string"),
        ({"genes": "k3e3"}, "genes: input should be a valid list"),
        ({"genes": None}, "genes"),
        ({"space": {}}, "space.name is missing; expected for example 'mobile'"),
        ({"space": {"name": 3}}, "space.name is missing"),
        ({"space": "mobile"}, "space: input should be a valid dictionary"),
        ({"space": {"name": "mobile", "width": [1]}}, r"space\.width"),
        ({"space": {"name": "mobile", "width": None}}, r"space\.width"),
        ({"weights": "x.pt"}, "weights: extra inputs are not permitted"),
    ],
)
def test_a_field_that_does_not_fit_is_named(change, named):
    with pytest.raises(UsageError, match=f"not an architecture: .*{named}"):
        Architecture.from_dict({**ARCH.to_dict(), **change})


@pytest.mark.parametrize("field", ["format", "space", "genes"])
def test_a_field_that_is_missing_is_named(field):
    record = ARCH.to_dict()
    del record[field]
    with pytest.raises(UsageError, match=f"{field}: field required; expected what `surgenas search` writes"):
        Architecture.from_dict(record)


@pytest.mark.parametrize("record", [[], None, 3, "text", [ARCH.to_dict()]])
def test_a_record_of_another_kind_is_refused(record):
    with pytest.raises(UsageError, match="not an architecture: the file"):
        Architecture.from_dict(record)


@pytest.mark.parametrize("text", ["", "{", "nonsense", "[" * 100_000, '{"format": '])
def test_text_that_is_not_json_is_refused(text):
    with pytest.raises(UsageError, match="not an architecture: not JSON"):
        Architecture.from_json(text)


def test_an_architecture_is_read_from_its_file_or_from_its_run_folder(tmp_path):
    (tmp_path / "architecture.json").write_text(ARCH.to_json())
    assert read_architecture(tmp_path) == read_architecture(str(tmp_path / "architecture.json")) == ARCH


@pytest.mark.parametrize(
    ("content", "said"), [(b"\xff\xfe\x00", "not text"), (b"{", "not JSON"), (b"{}", "format"), (None, "No such file")]
)
def test_a_file_that_is_no_architecture_says_what_it_is(tmp_path, content, said):
    path = tmp_path / "architecture.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        read_architecture(path)


def test_a_folder_without_an_architecture_says_where_it_looked(tmp_path):
    with pytest.raises(UsageError, match=r"architecture\.json: No such file or directory; expected an architecture"):
        read_architecture(tmp_path)


SPACE: dict[str, object] = {"format": SPACE_FORMAT, "name": "macro", "settings": {"classes": 10}}


def write(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("", "the file: invalid JSON"),
        ("[]", "the file"),
        (SpaceSpec.of("a", {"b": 1}).to_json()[:-1], "the file: invalid JSON"),
        ({**SPACE, "format": FORMAT}, "format"),
        ({**SPACE, "name": 3}, "name: input should be a valid string"),
        ({**SPACE, "settings": {"classes": [1]}}, r"settings\.classes"),
        ({**SPACE, "settings": None}, "settings: input should be an object"),
        ({**SPACE, "pool": "a"}, "pool: extra inputs are not permitted"),
    ],
)
def test_a_file_that_is_no_space_names_the_field(tmp_path, content, named):
    path = write(tmp_path / "space.json", content)
    with pytest.raises(UsageError, match=f"space.json: not a space: {named}.*; expected what `surgenas operators`"):
        read_space(path)


def test_a_space_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"none\.json: No such file or directory; expected a space\.json"):
        read_space(tmp_path / "none.json")
