"""Lines that are counted and read: once each, in order, wherever they come from."""

from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ramp_tracing._journal import _segment

from .samples import files, generation, ids, ids_of, journal_in

AHEAD = 4
"""Lines that are kept, in place of some hundreds."""

STEPS = st.lists(
    st.tuples(st.sampled_from(["append", "append", "read"]), st.integers(1, 7))
    | st.sampled_from([("count", 0), ("harm", 0)]),
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_every_line_is_read_once_and_in_order(steps: list[tuple[str, int]]) -> None:
    """However writing, counting and reading take turns, with damaged lines in between."""
    with TemporaryDirectory() as state, patch.object(_segment, "MAX_AHEAD", AHEAD):
        journal, appended, harmed = journal_in(Path(state)), 0, 0
        read: list[str] = []
        for step, number in [*steps, ("read", 100)]:
            if step == "append":
                for _ in range(number):
                    journal.append(generation(appended, text="asked"))
                    appended += 1
            elif step == "read":
                read += ids_of(journal.read(number))
            elif step == "count":
                assert journal.counts().waiting == appended
            elif appended:
                with files(Path(state))[0].open("ab") as file:
                    file.write(b"v1 00000000 {}\n")
                harmed += 1
        assert ids(*range(appended)) == read
        assert (appended, harmed) == (journal.counts().waiting, journal.counts().lost)
        journal.close()


def test_what_was_counted_is_not_read_from_the_disk_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor checked a second time."""
    journal = journal_in(tmp_path)
    for number in range(3):
        journal.append(generation(number))
    assert journal.counts().waiting == 3
    checked: list[bytes] = []
    monkeypatch.setattr(_segment, "check", checked.append)
    assert ids(0, 1, 2) == ids_of(journal.read(3))
    assert checked == []
