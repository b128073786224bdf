"""How a run of LangChain's begins, and what is done then with older ones of whose end nothing tells."""

from collections.abc import Mapping
from typing import Any, Final

from .._state import state
from ._askers import current_task, note_asker
from ._run import Run
from ._runs_here import runs_here
from ._same_id import join

MAX_RUNS: Final = 10_000
"""Open at once. A run has some 500 bytes, and keeps what its model was asked until it ends."""

LONE_LOOKED_AT: Final = 2
"""For each call that begins, two older ones are looked at: so those that have ended never pile up."""


def open_run(run: Run) -> None:
    """Note that *run* has begun."""
    runs = state.runs
    first: Any = runs.setdefault(run.id, run)
    if first is not run:
        join(first, run)
    if run.kind == "model":
        note_asker(run.id, run.task)
    if run.parent is not None:
        run.root.open[id(run)] = run
    if run.is_alone:
        _look_at_lone_ones(run)
        state.lone_runs[id(run)] = run
    while len(runs) > 1 and (oldest := _oldest(runs)) is not None:
        if len(runs) <= MAX_RUNS and oldest.due >= run.clock:
            break
        oldest.give_up()


def _oldest(runs: Mapping[Any, object]) -> Run | None:
    try:
        oldest: Any = next(iter(runs.values()))
    except (StopIteration, RuntimeError):  # another thread has opened or ended one meanwhile
        return None
    run: Run = oldest  # not `cast`, which is a call
    return run


def _was_left_here(run: Run, begins: Run) -> bool:
    """Whether the task in which *begins* begins has asked for *run*, and is not in the middle of that any more."""
    if run.metadata is begins.metadata:  # several prompts that are asked together have their runs begun one by one
        return False
    here = current_task()
    if here is None or run.streams or run.task is None or run.task() is not here():
        return False
    return run not in runs_here(by_handler=True)


def _look_at_lone_ones(begins: Run) -> None:
    """
    End what was cancelled: LangChain tells of no end of a cancelled ``ainvoke`` of a model.

    Its task has ended, or, after a time limit, goes on with something else.
    """
    for _ in range(LONE_LOOKED_AT):
        run = _oldest(state.lone_runs)
        if run is None or state.lone_runs.pop(id(run), None) is None:
            return
        if run.is_over or _was_left_here(run, begins):
            run.give_up()
        elif run.ended is None:
            state.lone_runs[id(run)] = run  # to the end of the queue
