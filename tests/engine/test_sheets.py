"""CSV files as people have them: what is read, and what is told with file and line instead."""

from __future__ import annotations

import pytest

from connector.engine.imports.sheets import MOST_FINDINGS, make_order, read_sheet
from connector.errors import BadConfiguration


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "people.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def findings(path):
    """What is told of a file: (line, message)."""
    with pytest.raises(BadConfiguration) as refused:
        read_sheet(path)
    assert {one.where for one in refused.value.findings} == {str(path)}
    assert all(one.remedy for one in refused.value.findings)
    return [(one.line, one.message) for one in refused.value.findings]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_the_usual_kinds_of_files(file, mark, delimiter, ending):
    """With and without a byte order mark, whatever stands between cells and at the end of lines."""
    lines = ["Name{0}Phone", '"Müller{0} Söhne"{0} 1 ', "", '"two\nlines"{0}2']
    sheet = read_sheet(file(mark + ending.join(line.format(delimiter) for line in lines).encode()))
    assert (sheet.header, sheet.total) == (("Name", "Phone"), 2)
    assert [(one.number, one.cells) for one in sheet.lines()] == [
        (2, (f"Müller{delimiter} Söhne", "1")),
        (4, ("two\nlines", "2")),
    ]


def test_the_content_tells_files_apart(file):
    """The digest is that of the bytes."""
    one = read_sheet(file("Name\nA")).digest
    assert one == read_sheet(file("Name\nA")).digest != read_sheet(file("Name\nB")).digest


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff", " , ,\n"])
def test_an_empty_file(file, content):
    """It is told to be empty, or its header to have no names."""
    assert findings(file(content))[0][1] in {"is empty", "column 1 has no name"}


def test_a_header_alone(file):
    """There is nothing to import."""
    assert findings(file("Name,Phone\n")) == [(0, "has a header and no record")]


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        ("Name\nM\xfcller\n".encode("latin-1"), 2, "Windows-1252"),
        ("Name\nA\n".encode("utf-16"), 1, "UTF-16"),
        (b"Name\n\x00\x00\n", 1, "NUL"),
    ],
)
def test_other_encodings(file, content, line, said):
    """They are told by the first line where they show, with the way to save the file."""
    ((where, message),) = findings(file(content))
    assert where == line
    assert said in message


def test_everything_wrong_is_told_at_once(file):
    """Columns that are there twice or have no name, lines that are too short or too long, and broken quotes."""
    told = findings(file('Name,name,\nA\nB,1,2,3\nC,1,2\n"D,1,2\n'))
    assert told == [
        (1, "has the column 'name' twice"),
        (1, "column 3 has no name"),
        (2, "has 1 cells, the header has 3"),
        (3, "has 4 cells, the header has 3"),
        (5, "its quotes cannot be read: unexpected end of data"),
    ]


def test_the_line_is_that_where_a_record_begins(file):
    """Cells may have line ends of their own."""
    assert [line for line, _ in findings(file('Name,Phone\n"a\nb",1\n"c\nd"\n'))] == [4]


def test_a_mistake_that_is_everywhere_is_not_told_a_thousand_times(file):
    """The first ones, and how many more there are."""
    told = findings(file("Name,Phone\n" + "A\n" * 1000))
    assert len(told) == MOST_FINDINGS + 1
    assert told[-1] == (0, f"and {1000 - MOST_FINDINGS} more")


def test_a_file_that_cannot_be_read(tmp_path):
    """None there, or a folder."""
    assert "No such file" in findings(tmp_path / "none.csv")[0][1]
    assert "cannot be read" in findings(tmp_path)[0][1]


def test_what_was_typed_is_told_to_be_nothing_that_is_known():
    """Object and side, both at once."""
    with pytest.raises(BadConfiguration) as refused:
        make_order("x.csv", "", "leads", "crm", overwrite=False)
    assert [one.where for one in refused.value.findings] == ["--object", "--to"]
