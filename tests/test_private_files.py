"""Files with customers' data: whole or as before, and of no use to others on the machine."""

from __future__ import annotations

import os
import stat

import pytest

from connector.private_files import is_private, make_privately, write_privately, writing_privately


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def open_to_all():
    """The laxest umask that a system may have."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_new_file_is_readable_by_its_owner_alone(tmp_path):
    """Whatever the umask."""
    path = tmp_path / "plan.json"
    write_privately(path, "ü\n")
    assert (path.read_bytes(), mode_of(path), is_private(path)) == ("ü\n".encode(), 0o600, True)


def test_a_file_that_others_could_read_is_no_more(tmp_path):
    """What is written anew gets the narrow mode, too."""
    path = tmp_path / "plan.json"
    path.write_text("old")
    path.chmod(0o644)
    assert not is_private(path)
    write_privately(path, "new")
    assert (path.read_text(), mode_of(path)) == ("new", 0o600)


def test_a_file_is_whole_or_as_it_was(tmp_path):
    """An error in the middle leaves the old text, and nothing beside it."""
    path = tmp_path / "report.csv"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError), writing_privately(path) as file:
        file.write("half\ud800")
    assert [one.name for one in tmp_path.iterdir()] == ["report.csv"]
    assert path.read_text() == "old"


def test_nobody_can_read_it_while_it_is_written(tmp_path):
    """The unfinished file has the narrow mode from its first byte, and a name that nobody can foresee."""
    with writing_privately(tmp_path / "report.csv") as file:
        file.write("secret")
        file.flush()
        (unfinished,) = tmp_path.iterdir()
        assert (mode_of(unfinished), unfinished.name.startswith(".report.csv.")) == (0o600, True)


def test_a_link_stays_a_link(tmp_path):
    """A person may keep reports elsewhere."""
    (tmp_path / "there").mkdir()
    (tmp_path / "report.csv").symlink_to(tmp_path / "there" / "kept.csv")
    write_privately(tmp_path / "report.csv", "x")
    assert (tmp_path / "report.csv").is_symlink()
    assert (tmp_path / "there" / "kept.csv").read_text() == "x"


def test_a_pipe_is_written_to_as_it_is(tmp_path):
    """`--out /dev/stdout`, or a named pipe, is nothing to be replaced."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_privately(pipe, "x")
        assert (os.read(reader, 10), stat.S_ISFIFO(pipe.stat().st_mode)) == (b"x", True)
    finally:
        os.close(reader)


def test_a_file_that_is_there_is_not_made_again(tmp_path):
    """Its content and its mode are its owner's matter."""
    path = tmp_path / "store.db"
    make_privately(path)
    assert mode_of(path) == 0o600
    path.write_text("x")
    path.chmod(0o640)
    make_privately(path)
    assert (path.read_text(), mode_of(path)) == ("x", 0o640)
