"""
One run of LangChain's: what it is, its place in the tree of those that are open, what it says of a call, how it ends.

No lock: a stream that nobody reads any more tells of its end from the garbage collector, at any line of any thread, one
that holds the lock included. Each step here is one operation on a dictionary, which is whole under the GIL.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Final, Literal, NamedTuple, cast
from weakref import ref

from .._context import Around, Frame, active_span, blocks_in_force
from .._dataclass import dataclass
from .._identity import derived_id
from .._normalizers import langchain_attribution
from .._record import NOBODY, Attribution, Drafts, GenerationId, SpanParent, UnixNanos
from .._state import state
from ._askers import current_task
from ._names import names_of

Kind = Literal["model", "chain", "tool", "retriever"]
"""What a run is."""

NANOSECONDS_OPEN: Final = 3_600 * 10**9
"""A model that has not answered for an hour is not waited for."""

NANOSECONDS_OF_STEP: Final = 24 * NANOSECONDS_OPEN
"""Agents work for hours."""

NANOSECONDS_ORPHANED: Final = 60 * 10**9
"""A stream tells of its end when it is closed or collected, perhaps after the end of the run that it is part of."""

ATTRIBUTIONS: Final = Drafts(Attribution)

HIDDEN: Final = "langsmith:hidden"
"""LangChain's tag for runs that are nothing but its own machinery."""


class Ending(NamedTuple):
    """How a run ends."""

    result: object = None
    """What LangChain tells of its end: for a model the answer, or what had come of it."""
    error: BaseException | None = None
    gone: bool = False
    """Nothing has told of its end; it is not waited for any longer."""


@dataclass(slots=True, eq=False, kw_only=True)
class Run:
    """
    One run.

    Attributes:
        id: LangChain's id.
        kind: What it is.
        name: Its name, or that of its class.
        parent: The run that it is part of.
        metadata: As LangChain hands it down from run to run.
        tags: Likewise.
        given: What the request itself, and the handler, say of who it is for.
        tells_all: Runs are records of their own.
        since: The blocks that were in force when it began.
        span_parent: The application's span that was active then; of a root and of a model's run.
        claimed: A layer below records what it does.
        finish: What is to be done when it has ended, or is not waited for any longer.
        ended: When it ended.
        first_chunk: When the first piece of an answer came.
        streams: Its answer comes in pieces.
        due: When it is not waited for any longer, by `clock`.
        task: The task that asks a model, in async code.
        is_alone: A model is asked in a task, outside of any other run. The task is all that tells if it is cancelled.
        call: What the handler keeps of a model's run.
        open: Its descendants that have no end yet; of a root.
        process: Where it began: a forked child has a copy of it.
    """

    id: object
    kind: Kind
    name: str | None
    parent: "Run | None" = None
    metadata: Mapping[str, object]
    tags: Sequence[object] = ()
    given: Attribution = NOBODY
    tells_all: bool = False
    finish: "Callable[[Run, Ending], None]"
    claimed: bool = False
    ended: UnixNanos | None = None
    first_chunk: UnixNanos | None = None
    streams: bool = False
    call: object = None
    task: "ref[object] | None" = None
    is_alone: bool = False
    span_parent: SpanParent | None = None
    open: "dict[object, Run]" = field(init=False)
    since: Frame | None = field(init=False)
    process: int = field(init=False)
    started: UnixNanos = field(init=False)
    clock: int = field(init=False)
    due: int = field(init=False)

    def __post_init__(self) -> None:
        self.started = UnixNanos(time.time_ns())
        self.clock = time.perf_counter_ns()
        self.process = os.getpid()
        self.open = {}
        self.since = blocks_in_force()
        is_model = self.kind == "model"
        self.due = self.clock + (NANOSECONDS_OPEN if is_model else NANOSECONDS_OF_STEP)
        if is_model:
            self.task = current_task()
            self.is_alone = self.parent is None and self.task is not None
        if is_model or self.parent is None:
            self.span_parent = active_span()

    @property
    def root(self) -> "Run":
        """The run that everything is part of."""
        run = self
        while run.parent is not None:
            run = run.parent
        return run

    @property
    def is_over(self) -> bool:
        """Whether the task that was to end it is no more. A stream may go on in another task."""
        if self.task is None or self.streams:
            return False
        task = self.task()
        return task is None or task.done()  # type: ignore[attr-defined]

    @property
    def is_hidden(self) -> bool:
        """Whether it is LangChain's own machinery, of which nobody is told."""
        return HIDDEN in self.tags

    @property
    def step_id(self) -> GenerationId:
        """The id under which it is recorded as a step."""
        return GenerationId(f"run-{_hex(self.id)}")

    def now(self) -> UnixNanos:
        """By the monotonic clock, so that no run ends before it began."""
        return UnixNanos(self.started + time.perf_counter_ns() - self.clock)

    def give_up(self) -> None:
        """Record what is known so far. Later endings add nothing."""
        end_run(self.id, Ending(gone=True))

    def around(self, *, itself: bool) -> Around:
        """
        What is to be said of a call.

        Args:
            itself: It is this model's own call; otherwise one that the application makes while this run goes on.
        """
        names: list[str | None] = []
        parent: Run | None = None
        run = self.parent if itself else self
        while run is not None:
            if not run.is_hidden:
                names.append(run.name)
                parent = parent or run
            run = run.parent
        root = self.root
        implied = ATTRIBUTIONS.begin()
        implied.trace_name, implied.span_name = names_of(names)
        implied.trace_id = _hex(root.id) if root.span_parent is None else root.span_parent.trace_id
        implied.generation_name = self.name if itself else None
        if self.tells_all and parent is not None:
            implied.parent_span_id = derived_id(parent.step_id, digits=16)
        given = langchain_attribution(self.metadata, self.tags).over(self.given)
        return Around(given, ATTRIBUTIONS.end(implied), self.since, self.tells_all)


def run_of(run_id: object) -> Run | None:
    """The open run of an id."""
    return cast("Run | None", state.runs.get(run_id)) if run_id is not None else None


def end_run(run_id: object, ending: Ending) -> None:
    """
    Note that a run has ended, and with a root all that is open below it: nothing tells of the end of those.

    A root that is only not waited for any longer takes nothing with it.

    Does nothing where the end is told a second time, or of a run that nobody knows.
    """
    run = cast("Run | None", state.runs.pop(run_id, None))
    if run is None:
        return
    if run.is_alone:
        state.lone_runs.pop(run_id, None)
    run.ended = run.now()
    run.finish(run, ending)
    if run.parent is not None:
        run.root.open.pop(run_id, None)
        return
    for each in run.open.copy().values() if not ending.gone else ():
        if each.streams:
            each.due = time.perf_counter_ns() + NANOSECONDS_ORPHANED
        else:
            end_run(each.id, Ending(error=ending.error, gone=True))


def _hex(run_id: object) -> str:
    return getattr(run_id, "hex", None) or str(run_id)
