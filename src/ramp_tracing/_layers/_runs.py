"""
The runs of LangChain that are open, as a tree: which of them a call belongs to, and whether it is that run's call.

A model's run is its own caller's answer to "who records this?": the client below claims it, when a frame of the run is
on the stack, and then records the call with the run's names. What is never claimed is LangChain's to record.

No lock: a stream that nobody reads any more tells of its end from the garbage collector, at any line of any thread, one
that holds the lock included. Each step here is one operation on a dictionary, which is whole under the GIL.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import dropwhile
from types import FrameType
from typing import Final, Literal, NamedTuple, cast
from weakref import ref

from .._context import Around, Frame, active_span, blocks_in_force
from .._identity import derived_id
from .._normalizers import langchain_attribution
from .._record import NOBODY, Attribution, GenerationId, SpanParent, UnixNanos
from .._state import state
from ._askers import asked_in_context, current_task, frames_of_asker, note_asker
from ._names import names_of
from ._stack import frames_above

Kind = Literal["model", "chain", "tool", "retriever"]
"""What a run is."""

MAX_RUNS: Final = 10_000
"""Open at once. A run has some 500 bytes, and keeps what its model was asked until it ends."""

NANOSECONDS_OPEN: Final = 3_600 * 10**9
"""A model that has not answered for an hour is not waited for."""

NANOSECONDS_OF_STEP: Final = 24 * NANOSECONDS_OPEN
"""Agents work for hours."""

NANOSECONDS_ORPHANED: Final = 60 * 10**9
"""A stream tells of its end when it is closed or collected, perhaps after the end of the run that it is part of."""

LONE_LOOKED_AT: Final = 2
"""For each call that begins, two older ones are looked at: so those that have ended never pile up."""

MAX_DEPTH: Final = 48
"""Frames that are looked at. A tool's code, or LiteLLM, stands between the client and the run."""

HIDDEN: Final = "langsmith:hidden"
"""LangChain's tag for runs that are nothing but its own machinery."""

CALLBACKS: Final = "langchain_core.callbacks.manager"
"""Between a run and the callbacks that it tells of something."""

BATCHING: Final = "langchain_core.language_models.llms"
"""Where one request is made for the runs of many prompts."""


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
        task: The task that asks a model on its own, outside of any other run. It is all that tells of a cancelled one.
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
    since: Frame | None = field(default_factory=blocks_in_force)
    span_parent: SpanParent | None = None
    claimed: bool = False
    finish: "Callable[[Run, Ending], None]"
    ended: UnixNanos | None = None
    first_chunk: UnixNanos | None = None
    streams: bool = False
    task: "ref[object] | None" = None
    call: object = None
    open: dict[object, "Run"] = field(default_factory=dict[object, "Run"])
    process: int = field(default_factory=os.getpid)
    started: UnixNanos = field(default_factory=lambda: UnixNanos(time.time_ns()))
    clock: int = field(default_factory=time.perf_counter_ns)
    due: int = 0

    def __post_init__(self) -> None:
        self.due = self.clock + (NANOSECONDS_OPEN if self.kind == "model" else NANOSECONDS_OF_STEP)
        if self.parent is None or self.kind == "model":
            self.span_parent = active_span()
        if self.parent is None and self.kind == "model":
            self.task = current_task()

    @property
    def root(self) -> "Run":
        """The run that everything is part of."""
        return next(each for each in self.lineage() if each.parent is None)

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

    def lineage(self) -> Iterator["Run"]:
        """This run and those above it, the nearest first."""
        run: Run | None = self
        while run is not None:
            yield run
            run = run.parent

    def around(self, *, itself: bool) -> Around:
        """
        What is to be said of a call.

        Args:
            itself: It is this model's own call; otherwise one that the application makes while this run goes on.
        """
        above = [each for each in self.lineage() if each is not self or not itself]
        trace_name, span_name = names_of([each.name for each in above if not each.is_hidden])
        parent = next((each for each in above if self.tells_all and not each.is_hidden), None)
        root = self.root
        implied = Attribution(
            trace_id=_hex(root.id) if root.span_parent is None else root.span_parent.trace_id,
            trace_name=trace_name,
            span_name=span_name,
            generation_name=self.name if itself else None,
            parent_span_id=None if parent is None else derived_id(parent.step_id, digits=16),
        )
        given = langchain_attribution(self.metadata, self.tags).over(self.given)
        return Around(given, implied, self.since, self.tells_all)


def open_run(run: Run) -> None:
    """Note that *run* has begun."""
    state.runs[run.id] = run
    if run.kind == "model":
        note_asker(run.id)
    if run.parent is not None:
        run.root.open[run.id] = run
    if run.task is not None:
        _look_at_lone_ones()
        state.lone_runs[run.id] = run
    while (oldest := _oldest(state.runs)) is not None and (len(state.runs) > MAX_RUNS or oldest.due < run.clock):
        oldest.give_up()


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


def around_here(*, answers: bool = True) -> Around | None:
    """
    What LangChain says of the call that starts here, by a client or by a layer that is about to record it.

    The models' runs on the stack are claimed by this: a model that asks another one has made that one's call.

    Args:
        answers: It is a call that a model's answer can come from. A model's cache, or a model that looks something up,
            asks for embeddings, which are not its answer.
    """
    if not state.runs:
        return None
    nearest = claim_models() if answers else next(_runs_here(by_handler=False), None)
    if nearest is None:
        nearest = _run_of_context()
        return None if nearest is None else nearest.around(itself=False)
    return nearest.around(itself=answers and nearest.kind == "model")


def claim_models(*, by_handler: bool = False) -> Run | None:
    """
    Claim every model's run that is in the middle of its call here.

    Args:
        by_handler: Our own callback asks, because another model's run begins.

    Returns:
        The nearest run of any kind.
    """
    runs = list(_runs_here(by_handler=by_handler))
    if not any(run.kind == "model" for run in runs):
        runs += _runs_of_asker()
    for run in runs:
        run.claimed = run.claimed or run.kind == "model"
    return runs[0] if runs else None


def _runs_here(*, by_handler: bool) -> Iterator[Run]:
    """The runs on this stack, the nearest first."""
    frames = frames_above(MAX_DEPTH)
    if by_handler:  # what LangChain does to call us is no callback of the application's
        frames = dropwhile(_calls_back, dropwhile(lambda frame: not _calls_back(frame), frames))
    return _runs_on(frames)


def _runs_of_asker() -> list[Run]:
    """The models that have started the thread or the task which runs here, and are waiting for it."""
    asked = [each for each in asked_in_context() if each in state.runs]
    return [run for run in _runs_on(frames_of_asker()) if run.id in asked] if asked else []


def _runs_on(frames: Iterator[FrameType]) -> Iterator[Run]:
    """
    The runs that the functions of a stack work for, the nearest first.

    A callback of the application's that makes a call of its own, while a model tells it something, is no model.
    """
    in_callback = False
    for frame in frames:
        in_callback = in_callback or _calls_back(frame)
        for run in _runs_of(frame):
            if run.kind != "model" or not in_callback:
                yield run


def _calls_back(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__") == CALLBACKS


def _runs_of(frame: FrameType) -> Iterator[Run]:
    """
    The runs that *frame* works for: LangChain hands each function of a model, a tool or a chain its ``run_manager``.

    Part of its public interface for those who write models; a run that is not open, or a name that means something
    else, is nobody's.
    """
    names = frame.f_code.co_varnames
    if "run_managers" in names and frame.f_globals.get("__name__") == BATCHING:
        managers = frame.f_locals.get("run_managers")
        yield from _known(cast("list[object]", managers) if isinstance(managers, list) else ())
    elif "run_manager" in names or "run_manager" in frame.f_code.co_cellvars:
        yield from _known((frame.f_locals.get("run_manager"),))


def _known(managers: Sequence[object]) -> Iterator[Run]:
    for manager in managers:
        run_id = getattr(manager, "run_id", None)
        with suppress(TypeError):  # not hashable: somebody else's
            run = run_of(run_id)
            if run is not None:
                yield run


def _run_of_context() -> Run | None:
    """The tool, or the node, whose code runs here in a task or a thread of its own."""
    variable = getattr(sys.modules.get("langchain_core.runnables.config"), "var_child_runnable_config", None)
    config = None if variable is None else variable.get()
    if not isinstance(config, dict):
        return None
    callbacks = cast("dict[str, object]", config).get("callbacks")
    return run_of(getattr(callbacks, "parent_run_id", None))


def _oldest(runs: Mapping[object, object]) -> Run | None:
    try:
        return cast("Run", next(iter(runs.values())))
    except (StopIteration, RuntimeError):  # another thread has opened or ended one meanwhile
        return None


def _was_left_here(run: Run) -> bool:
    """Whether the task that is about to ask a model has asked for *run*, and is not in the middle of that any more."""
    here = current_task()
    if here is None or run.streams or run.task is None or run.task() is not here():
        return False
    return run not in _runs_here(by_handler=True)


def _look_at_lone_ones() -> None:
    """
    End what was cancelled: LangChain tells of no end of a cancelled ``ainvoke`` of a model.

    Its task has ended, or, after a time limit, goes on with something else.
    """
    for _ in range(LONE_LOOKED_AT):
        run = _oldest(state.lone_runs)
        if run is None or state.lone_runs.pop(run.id, None) is None:
            return
        if run.is_over or _was_left_here(run):
            run.give_up()
        elif run.id in state.runs:
            state.lone_runs[run.id] = run  # to the end of the queue


def _hex(run_id: object) -> str:
    return getattr(run_id, "hex", None) or str(run_id)
