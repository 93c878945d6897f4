"""Files of tables: what is text, what is Parquet, and one line for what is neither."""

from __future__ import annotations

import sys

import pytest

from surgenas.core.errors import DataError, EnvironmentFault
from surgenas.tasks.table_file import meaning_of, open_table


def test_columns_are_known_by_their_usual_names_alone():
    assert [meaning_of(n) for n in ("Path", " file_name", "IMAGE-PATH", "target", "Subset", "fold", "labels", "")] == [
        "path", "path", "path", "label", "split", "", "", "",
    ]  # fmt: skip


def test_lines_are_counted_as_an_editor_counts_them(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b'path,label,note\r\na.png,cat,"two\r\nlines"\r\n\r\nb.png,dog,\r\n')
    opened = open_table(path)
    assert opened.names == ("path", "label", "note")
    assert opened.read([1, 0]) == [(3, ["cat", "a.png"]), (5, ["dog", "b.png"])]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty; expected a line that names the columns"),
        (b"\n\n", "is empty"),
        ("pfad,klasse\nä.png,x".encode("latin-1"), "is no text in UTF-8"),
        ("path,label\na,b".encode("utf-16"), "is no text in UTF-8"),
        (b'path,label\na.png,"x"y', "line 2: .*; check the quotation marks"),
        (b"path,label\na.png", "line 2: 1 cells, but the first line names 2 columns"),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path, content, said):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said) as error:
        open_table(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["x.csv", "x.parquet"])
def test_a_file_that_is_not_there_is_named(tmp_path, name, monkeypatch):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    with pytest.raises(DataError, match=f"--data .*{name}: no such file"):
        open_table(tmp_path / name)


def test_without_pyarrow_a_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("surgenas.tasks.table_file.find_spec", lambda name: None)
    with pytest.raises(EnvironmentFault, match=r"pip install 'surgenas\[parquet\]'; or save it as \.csv"):
        open_table(tmp_path / "x.parquet")
    assert "pyarrow" not in sys.modules or sys.modules["pyarrow"]


# --- Parquet


@pytest.fixture
def written(tmp_path):
    """Writes columns as a Parquet file."""
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    def write(**columns):
        parquet.write_table(pyarrow.table(columns), tmp_path / "x.parquet")
        return tmp_path / "x.parquet"

    return write


def test_columns_of_parquet_come_as_text_in_the_order_asked_for(written):
    opened = open_table(written(path=["a", "b", None], label=[1.0, float("nan"), 2.5], kind=[True, False, None]))
    assert (opened.names, opened.row) == (("path", "label", "kind"), "row")
    assert opened.read([1, 0]) == [(0, ("1", "a")), (1, ("", "b")), (2, ("2.5", ""))]
    assert [cells for _, cells in opened.read([2])] == [("True",), ("False",), ("",)]


def test_categories_of_a_data_frame_are_text(written):
    pyarrow = pytest.importorskip("pyarrow")
    opened = open_table(written(path=["a", "b"], label=pyarrow.array(["cat", "dog"]).dictionary_encode()))
    assert opened.read([0, 1]) == [(0, ("a", "cat")), (1, ("b", "dog"))]


def test_images_inside_of_a_table_are_refused(written):
    path = written(image=[{"bytes": b"x", "path": "a"}], label=[1], raw=[b"x"])
    opened = open_table(path)
    with pytest.raises(DataError, match=r"column image holds struct<.*expected text or numbers; images that lie in"):
        opened.read([0])
    with pytest.raises(DataError, match="column raw holds binary"):
        opened.read([2])


def test_what_is_no_parquet_is_one_line(tmp_path):
    pytest.importorskip("pyarrow")
    for content in (b"", b"path,label\n", b"PAR1" + bytes(20) + b"PAR1"):
        (tmp_path / "x.parquet").write_bytes(content)
        with pytest.raises(DataError) as error:
            open_table(tmp_path / "x.parquet")
        assert "\n" not in str(error.value)
