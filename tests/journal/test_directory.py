"""Directories that nobody else can write to."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ramp_tracing._journal._directory import Directory, UnsafeDirectoryError

from .samples import DESTINATION, drain, files, generation, ids, journal_in

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """What the process allows others by default."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def obstacle(path: Path) -> str:
    """Why *path* is refused."""
    with pytest.raises(UnsafeDirectoryError) as caught, Directory(path, DESTINATION).opened():
        pass
    return str(caught.value)


def test_everything_is_for_the_owner_alone(umask: int, state: Path) -> None:
    """Whatever the umask; segments, marks, dead letters, and the directories above them that were not there."""
    journal = journal_in(state / "deep" / "down")
    for number in range(2):
        journal.append(generation(number))
    entries = journal.read(2)
    journal.freeze(entries)
    journal.bury(entries[0], "refused")
    made = list(state.rglob("*"))
    assert {path.suffix for path in made if path.is_file()} == {".seg", ".ack", ".json"}
    assert {path.name: oct(mode(path)) for path in made if mode(path) != (0o700 if path.is_dir() else 0o600)} == {}
    assert mode(state) == 0o700


def test_a_directory_that_others_can_read_is_closed_below(state: Path) -> None:
    """The one that the user made stays as it is."""
    (state / DESTINATION).mkdir(parents=True)
    state.chmod(0o755)
    (state / DESTINATION).chmod(0o755)
    with Directory(state, DESTINATION).opened():
        pass
    assert (mode(state), mode(state / DESTINATION)) == (0o755, 0o700)


@pytest.mark.parametrize("bits", [0o770, 0o702, 0o1777], ids=oct)
def test_a_directory_that_others_can_write_to_is_refused(bits: int, state: Path) -> None:
    """They could put a file of theirs in the place of one of ours."""
    state.mkdir()
    state.chmod(bits)
    assert "chmod go-w" in obstacle(state)
    assert list(state.iterdir()) == []


def test_a_destination_that_others_can_write_to_is_refused(state: Path) -> None:
    """Not only the directory that the user named is looked at."""
    (state / DESTINATION).mkdir(parents=True)
    (state / DESTINATION).chmod(0o777)
    assert "other users may write" in obstacle(state)


def test_a_symbolic_link_is_refused(state: Path, tmp_path: Path) -> None:
    """Whoever made it could make it lead elsewhere later."""
    (tmp_path / "elsewhere").mkdir()
    state.symlink_to(tmp_path / "elsewhere")
    assert "is a symbolic link" in obstacle(state)
    state.unlink()
    state.mkdir()
    (state / DESTINATION).symlink_to(tmp_path / "elsewhere")
    assert "is a symbolic link" in obstacle(state)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@ROOT_ONLY
def test_a_directory_of_somebody_else_is_refused(state: Path) -> None:
    """Also one within ours."""
    (state / DESTINATION).mkdir(parents=True)
    os.chown(state / DESTINATION, 12_345, 12_345)
    assert "belongs to another user" in obstacle(state)
    os.chown(state, 12_345, 12_345)
    assert "belongs to another user" in obstacle(state)


def test_what_is_no_directory_is_refused(state: Path) -> None:
    """With the system's own word for it."""
    state.write_text("")
    with pytest.raises(NotADirectoryError), Directory(state, DESTINATION).opened():
        pass


def test_no_descriptor_is_left_open(state: Path) -> None:
    """Neither when it goes well nor when it does not."""
    before = len(os.listdir("/proc/self/fd"))
    with Directory(state, DESTINATION).opened(), Directory(state, "x", "y").existing() as there:
        assert there is None
    (state / DESTINATION).chmod(0o777)
    obstacle(state)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_planted_link_is_not_followed(state: Path, tmp_path: Path) -> None:
    """Not where a segment is adopted, nor where marks are written: what it leads to is not touched."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    journal = journal_in(state)
    journal.append(generation(1))
    (segment,) = files(state)
    segment.with_suffix(".ack").symlink_to(victim)
    (segment.parent / "0000000000001-1-aaaaaaaa.seg").symlink_to(victim)
    journal.tend()
    assert drain(journal) == ids(1)
    assert victim.read_bytes() == b"precious"
