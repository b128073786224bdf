"""
How a call ends, and what that means for paid work that goes on after it: background responses, batches, videos.

Such a job is one generation under one id. The call that creates it reports it as pending; whichever later request
first sees the job at its end reports its usage, under the same id and with the attribution of the creating call. That
may be a request of another process: the journal has notes of jobs for all processes of a machine.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, Protocol

from .._dataclass import dataclass
from .._guard import guarded
from .._lazy import load
from .._record import Failure, Generation, GenerationId, Outcome
from .._recorder import Recording
from .._state import Job, state

MAX_JOBS: Final = 1_000
"""Jobs that this process has created and not seen settled; of older ones the settling request's own words count."""

MAX_ASKED_BYTES: Final = 16 << 20
"""What those were asked for, together; they may end in another process, and never in this one."""


class Ending(Protocol):
    """The part of `Recording` that an answer meets; no method raises, and the first ending counts."""

    @property
    def finished(self) -> bool:
        """Whether it has ended."""
        ...

    def first_chunk(self) -> None:
        """Note that the first piece of an answer has come."""
        ...

    def succeed(self, outcome: Outcome) -> None:
        """End with an answer."""
        ...

    def fail(self, failure: Failure, outcome: Outcome) -> None:
        """End with a failure, and what had been answered before it."""
        ...

    def abandon(self, outcome: Outcome) -> None:
        """End a stream that is not read any further."""
        ...

    def later(self, finish: Callable[[], None]) -> None:
        """End on a thread that holds no lock of ours."""
        ...


class Creating:
    """
    The ending of a request that may create a job.

    Args:
        recording: The call.
        background: The job goes on whatever becomes of the request that created it.
    """

    __slots__ = ("_background", "_recording", "first_chunk", "later")

    def __init__(self, recording: Recording, *, background: bool) -> None:
        self._recording = recording
        self._background = background
        self.first_chunk = recording.first_chunk
        self.later = recording.later

    @property
    def finished(self) -> bool:
        """Whether it has ended."""
        return self._recording.finished

    def succeed(self, outcome: Outcome) -> None:
        """End with an answer, which may say that the work goes on."""
        if outcome.response_id is None or not (outcome.pending or outcome.job):
            self._recording.succeed(outcome)
        elif outcome.pending:
            self._open(outcome, outcome.response_id)
        elif not self._recording.finished:
            is_new = state.seen.take(outcome.response_id)
            self._recording.succeed(outcome, GenerationId(outcome.response_id) if is_new else None)

    def fail(self, failure: Failure, outcome: Outcome) -> None:
        """End with a failure; a background job of which the id is known goes on."""
        if self._goes_on(outcome):
            self.succeed(replace(outcome, pending=True))
        else:
            self._recording.fail(failure, outcome)

    def abandon(self, outcome: Outcome) -> None:
        """End a stream that is not read any further; as `fail`."""
        if self._goes_on(outcome):
            self.succeed(replace(outcome, pending=True))
        else:
            self._recording.abandon(outcome)

    def _goes_on(self, outcome: Outcome) -> bool:
        return self._background and not outcome.complete and outcome.response_id is not None

    def _open(self, outcome: Outcome, job: str) -> None:
        if self._recording.finished:
            return
        self._recording.succeed(outcome, GenerationId(job))
        make_room(state.jobs)
        state.jobs[job] = self._recording
        forget_what_was_asked(list(state.jobs.values()))


class Settling:
    """
    The ending of a request for a job that an earlier request created. It is no generation of its own.

    Args:
        recording: The request; it speaks for a job that was created elsewhere.
        only_known: Pass over jobs that nobody on this machine has created: a list shows those of a whole project.
    """

    __slots__ = ("_only_known", "_recording", "first_chunk", "later")

    def __init__(self, recording: Recording, *, only_known: bool = False) -> None:
        self._recording = recording
        self._only_known = only_known
        self.first_chunk = recording.first_chunk
        self.later = recording.later

    @property
    def finished(self) -> bool:
        """Whether it has ended."""
        return self._recording.finished

    def succeed(self, outcome: Outcome) -> None:
        """
        Report a job's end once, under the id of the job, however often it is asked for.

        An ordinary response that is fetched again was recorded when it was made; only ``background`` ones are jobs.
        """
        if self._recording.finished:
            return
        self._recording.discard()
        for each in outcome.page or (outcome,):
            if each.job and not each.pending and each.response_id is not None:
                self._settle(each, GenerationId(each.response_id))

    def _settle(self, outcome: Outcome, job: GenerationId) -> None:
        if job in state.seen:
            return
        creator, note = state.jobs.get(job), self._recording.note_of(job)
        if self._only_known and creator is None and note.created is None:
            return
        if not state.seen.take(job):
            return
        state.jobs.pop(job, None)
        if note.settled:
            return
        ended = Ended(outcome=outcome, job=job, created=note.created, creator=creator)
        ended.report(self._recording, outcome)
        if outcome.usage_file is not None and not self._recording.waits:
            make_room(state.files)
            state.files[outcome.usage_file] = ended

    def fail(self, failure: Failure, outcome: Outcome) -> None:
        """Nothing was bought; an answer that was whole before it failed to be parsed counts."""
        self.abandon(outcome)

    def abandon(self, outcome: Outcome) -> None:
        """End early: somebody will ask again."""
        if outcome.complete:
            self.succeed(outcome)
        else:
            self._recording.discard()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """
    A job that has ended.

    Attributes:
        outcome: What it says of itself.
        job: Its id.
        created: The record of its creation, as far as anybody here noted it.
        creator: The call that created it, if this process made it.
    """

    outcome: Outcome
    job: GenerationId
    created: Generation | None
    creator: Job | None

    def report(self, recording: Recording, outcome: Outcome) -> None:
        """Record it, for the one who created it, else for whoever makes the request of *recording*."""
        if self.creator is not None and self.created is None:
            self.creator.settle(outcome, self.job)
        else:
            recording.settle_for(self.created, outcome, job=self.job, creator=self.creator)

    def read(self, recording: Recording, body: bytes) -> None:
        """Record it once more, under the same id, with what the file of its answers says that it used."""
        with guarded("reading the answers of a batch"):
            found: Outcome = load("ramp_tracing._normalizers._jobs").read_output(body)
            if found.usage.known:
                model = self.outcome.response_model or found.response_model
                self.report(recording, replace(self.outcome, usage=found.usage, response_model=model))


def make_room(jobs: dict[Any, Any]) -> None:
    """Forget the oldest if there are too many. Other threads may do the same, and add to them, meanwhile."""
    while len(jobs) >= MAX_JOBS:
        with suppress(RuntimeError, StopIteration):  # one of them came in between: look again
            jobs.pop(next(iter(jobs)), None)


def forget_what_was_asked(jobs: Sequence[Job]) -> None:
    """Keep the prompts of the youngest; of the others the end is reported without them."""
    kept = 0
    for each in reversed(jobs):
        kept += each.asked_bytes
        if kept > MAX_ASKED_BYTES:
            each.forget_what_was_asked()
