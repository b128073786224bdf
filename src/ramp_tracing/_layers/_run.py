"""
One run of LangChain's: what it is, its place in the tree of those that are open, what it says of a call, how it ends.

No lock, but for runs that have one id (`_same_id`): a stream that nobody reads any more tells of its end from the
garbage collector, at any line of any thread, one that holds the lock included. Each step here is one operation on a
dictionary, which is whole under the GIL.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal
from weakref import ref

from .._context import Around, active_span, blocks_in_force
from .._identity import derived_id
from .._normalizers import as_fields, as_items, as_name, langchain_attribution
from .._record import NOBODY, Attribution, Drafts, GenerationId, SpanParent, UnixNanos
from .._state import state
from ._askers import current_task
from ._names import names_of
from ._same_id import leave, leave_told, manager_that_speaks

Kind = Literal["model", "chain", "tool", "retriever"]
"""What a run is."""

NANOSECONDS_OPEN: Final = 3_600 * 10**9
"""A model that has not answered for an hour is not waited for."""

NANOSECONDS_OF_STEP: Final = 24 * NANOSECONDS_OPEN
"""Agents work for hours."""

NANOSECONDS_ORPHANED: Final = 60 * 10**9
"""A stream tells of its end when it is closed or collected, perhaps after the end of the run that it is part of."""

ATTRIBUTIONS: Final = Drafts(Attribution)

UNTOLD: Final = frozenset({"model", "retriever"})
"""Kinds of which LangChain tells no end when their task is cancelled."""

HIDDEN: Final = "langsmith:hidden"
"""LangChain's tag for runs that are nothing but its own machinery."""


Finish = Callable[["Run", "Ending"], None]
"""What ends a run."""


NOBODY_TELLS: Final[ref[Any]] = ref(Drafts)
"""In place of a manager that was looked for and not found: it is looked for once, and that is there for ever."""


class Ending:
    """
    How a run ends.

    Args:
        result: What LangChain tells of its end: for a model the answer, or what had come of it.
        error: What it ended with.
        gone: Nothing has told of its end; it is not waited for any longer.
    """

    __slots__ = ("error", "gone", "result")

    def __init__(self, result: object = None, error: BaseException | None = None, *, gone: bool = False) -> None:
        self.result = result
        self.error = error
        self.gone = gone


class Run:
    """
    One run.

    Args:
        kind: What it is.
        told: What LangChain has told of it, by the names of its callbacks. Most of that is not kept.

    Attributes:
        id: LangChain's id.
        kind: What it is.
        parent: The run that it is part of.
        metadata: As LangChain hands it down from run to run.
        serialized: What it runs, as LangChain describes it.
        tags: As LangChain hands them down from run to run.
        given: What the request itself, and the handler, say of who it is for.
        tells_all: Runs are records of their own.
        since: The blocks that were in force when it began.
        span_parent: The application's span that was active then; of a root and of a model's run.
        claimed: A layer below records what it does.
        finish: What is to be done when it has ended, or is not waited for any longer.
        started: When it began.
        clock: The same by a clock that never goes back.
        ended: When it ended.
        first_chunk: When the first piece of an answer came.
        streams: Its answer comes in pieces.
        due: When it is not waited for any longer, by `clock`.
        task: The task that asks a model or a retriever, in async code.
        others: Those that are open under the same id; nearly always there are none.
        ordinal: How many of these began before it.
        manager: Python's id of the manager that is known to stand for it, where there are others.
        is_alone: It is asked in a task, outside of any other run. The task is all that tells if it is cancelled.
        teller: The manager that tells of a stream of events.
        call: What the handler keeps of a model's run.
        open: Its descendants that have no end yet, by Python's ids of them, whose hashes cost nothing; of a root.
        process: Where it began: a forked child has a copy of it.
    """

    __slots__ = (
        "_name", "call", "claimed", "clock", "due", "ended", "finish", "first_chunk", "given", "id", "is_alone",
        "kind", "manager", "metadata", "open", "ordinal", "others", "parent", "process", "serialized", "since",
        "span_parent", "started", "streams", "tags", "task", "teller", "tells_all",
    )  # fmt: skip

    finish: Finish

    def __init__(self, kind: Kind, told: Mapping[str, object]) -> None:
        now: Any = time.time_ns()
        self.started: UnixNanos = now
        self.clock = time.perf_counter_ns()
        self.process = os.getpid()
        self.id, self.kind = told["run_id"], kind
        self.serialized: object = None
        self._name, metadata, tags = told.get("name"), told.get("metadata"), told.get("tags")
        self.metadata: Mapping[str, object] = as_fields(metadata)
        self.tags: Sequence[object] = tuple(as_items(tags)) if tags else ()  # the list itself may still be added to
        self.given = NOBODY
        self.tells_all = self.claimed = self.streams = self.is_alone = False
        self.ended: UnixNanos | None = None
        self.first_chunk: UnixNanos | None = None
        self.call: object = None
        self.task: ref[object] | None = None
        self.span_parent: SpanParent | None = None
        self.teller: ref[Any] | None = None
        self.open: dict[int, Run] = {}
        self.others: list[Run] = []
        self.manager: int | None = None
        self.ordinal = 0
        self.since = blocks_in_force()
        self.due = self.clock + NANOSECONDS_OF_STEP
        self.parent = run_of(told.get("parent_run_id"))
        if kind == "model":
            self.due = self.clock + NANOSECONDS_OPEN
        if kind in UNTOLD:
            self.task = current_task()
            self.is_alone = self.parent is None and self.task is not None
        if kind == "model" or self.parent is None:
            self.span_parent = active_span()

    @property
    def name(self) -> str | None:
        """Its name, or that of its class."""
        named = None if self._name is None else as_name(self._name)
        return named or as_name(as_fields(self.serialized).get("name"))

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
        return GenerationId(f"run-{_hex(self.id)}" + (f"-{self.ordinal}" if self.ordinal else ""))

    def now(self) -> UnixNanos:
        """By the monotonic clock, so that no run ends before it began."""
        now: Any = self.started + time.perf_counter_ns() - self.clock
        instant: UnixNanos = now  # not `UnixNanos(now)`, which is a call
        return instant

    def give_up(self) -> None:
        """Record what is known so far. Later endings add nothing."""
        end_this(self, Ending(gone=True))

    def watch_teller(self) -> None:
        """End it when nothing can tell of its end any more: LangChain tells of none where events are left unread."""
        manager: Any = manager_that_speaks(self.id)
        self.teller = NOBODY_TELLS if manager is None else ref(manager, lambda _: self.give_up())

    def around(self, *, itself: bool) -> Around:
        """
        What is to be said of a call.

        Args:
            itself: It is this model's own call; otherwise one that the application makes while this run goes on.
        """
        implied = ATTRIBUTIONS.begin()
        root, run = self.root, self.parent if itself else self
        if run is not None:  # else a model that was asked by itself: there is no tree to name
            implied.trace_name, implied.span_name, parent = _names_above(run, self.name if itself else None)
            if self.tells_all and parent is not None:
                implied.parent_span_id = derived_id(parent.step_id, digits=16)
        implied.trace_id = _hex(root.id) if root.span_parent is None else root.span_parent.trace_id
        implied.generation_name = self.name if itself else None
        given = langchain_attribution(self.metadata, self.tags).over(self.given)
        return Around(given, ATTRIBUTIONS.end(implied), self.since, self.tells_all)

    def attributed(self, request: Attribution, defaults: Attribution) -> Attribution | None:
        """
        Who this model's own call is for: what `in_force_then` says with `around`, in a third of the steps.

        Args:
            request: What the request itself says.
            defaults: What was said to `instrument()`.

        Returns:
            `None` of a run in a block, in a span of the application's, or in a tree of records.
        """
        parent, root = self.parent, self.root
        if self.since is not None or self.span_parent is not None or root.span_parent is not None:
            return None
        if self.tells_all and parent is not None:
            return None
        given = langchain_attribution(self.metadata, self.tags).over(self.given)
        made = ATTRIBUTIONS.copy(request.over(given).over(defaults))
        if made.trace_id is None:
            made.trace_id = _hex(root.id)
        if made.generation_name is None:
            made.generation_name = self.name
        if parent is not None and (made.trace_name is None or made.span_name is None):
            trace_name, span_name, _ = _names_above(parent, self.name)
            made.trace_name = trace_name if made.trace_name is None else made.trace_name
            made.span_name = span_name if made.span_name is None else made.span_name
        return ATTRIBUTIONS.end(made)


def _names_above(run: Run | None, own: str | None) -> "tuple[str | None, str | None, Run | None]":
    """How the trace, and the level below it, are called for what *own* names in *run*; the nearest run not hidden."""
    names: list[str | None] = []
    nearest: Run | None = None
    while run is not None:
        if not run.is_hidden:
            names.append(run.name)
            nearest = nearest or run
        run = run.parent
    return *names_of(names, own), nearest


def run_of(run_id: object) -> Run | None:
    """The open run of an id."""
    found: Any = None if run_id is None or not state.runs else state.runs.get(run_id)
    run: Run | None = found  # not `cast`, which is a call
    return run


def end_run(run_id: object, ending: Ending) -> None:
    """
    Note that a run has ended, and with a root all that is open below it: nothing tells of the end of those.

    A root that is only not waited for any longer takes nothing with it.

    Does nothing where the end is told a second time, or of a run that nobody knows.
    """
    run: Any = leave_told(run_id) if state.same_ids else state.runs.pop(run_id, None)
    if run is not None:
        _end(run, ending)


def end_this(run: Run, ending: Ending) -> None:
    """`end_run` of this very run, whichever others have its id."""
    if leave(run):
        _end(run, ending)


def _end(run: Run, ending: Ending) -> None:
    if run.is_alone:
        state.lone_runs.pop(id(run), None)
    run.ended, run.teller = run.now(), None
    run.finish(run, ending)
    if run.parent is not None:
        run.root.open.pop(id(run), None)
    elif run.open and not ending.gone:
        _end_below(run, ending)


def _end_below(root: Run, ending: Ending) -> None:
    for each in root.open.copy().values():
        if each.streams:
            each.due = time.perf_counter_ns() + NANOSECONDS_ORPHANED
        else:
            end_this(each, Ending(None, ending.error, gone=True))


def _hex(run_id: object) -> str:
    digits: object = getattr(run_id, "bytes", None)  # its own ``hex`` makes a number of them, and formats that
    return digits.hex() if type(digits) is bytes else str(run_id)
