"""What is kept of jobs, and for how long."""

from collections.abc import Iterator

from ramp_tracing.integrations._endings import MAX_JOBS, make_room


class Shared(dict[int, None]):
    """A dictionary to which another thread adds something while its oldest member is looked for."""

    late = 3

    def __iter__(self) -> Iterator[int]:
        members = super().__iter__()
        if self.late:
            self.late -= 1
            self[-self.late - 1] = None
        return members


def test_room_is_made_while_other_threads_make_use_of_it() -> None:
    """What they add in between is no error, which would lose the call, and does not stay above the bound."""
    shared = Shared.fromkeys(range(MAX_JOBS))
    make_room(shared)
    assert len(shared) == MAX_JOBS - 1
    assert 0 not in shared
    assert -1 in shared
