"""
Runs that are open at once under one id.

An application may name the id of a run (``config={"run_id": …}``) and hand the same configuration to several, one
inside another or side by side: LangChain takes that. It tells of their ends by that id alone. Which of them it is, is
known by the manager that tells; a manager that is new is taken for that of the one that began last.

The table of runs has the oldest of them under the id, and the others under Python's ids of themselves. They all share a
list of the others. What is done to both is done under a lock, which other runs need not: it is held for a few steps,
and the thread that holds it may come here again, from the garbage collector.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from .._lazy import make_lock
from .._state import state
from ._stack import frames_above

if TYPE_CHECKING:
    from ._run import Kind, Run

CALLBACKS: Final = "langchain_core.callbacks.manager"
"""Between a run and the callbacks that it tells of something."""

KINDS: Final[Mapping[str, "Kind"]] = {
    "CallbackManagerForLLMRun": "model",
    "CallbackManagerForChainRun": "chain",
    "CallbackManagerForToolRun": "tool",
    "CallbackManagerForRetrieverRun": "retriever",
}
"""What the managers of runs are called."""


def join(first: "Run", run: "Run") -> None:
    """Note that *run* has begun, under the id of *first*, which was open just now."""
    with state.runs_lock:
        state.same_ids = True
        runs: Any = state.runs
        first = runs.setdefault(run.id, run)
        if first is not run:
            run.others, run.ordinal = first.others, (first.others or [first])[-1].ordinal + 1
            first.others.append(run)
            runs[id(run)] = run


def told_before(first: "Run", metadata: object) -> "Run | None":
    """The very run that LangChain has told another handler of, with the same object; `None` where this is a new one."""
    return next((each for each in _newest_first(first) if each.metadata is metadata), None)


def run_that_speaks(first: "Run") -> "Run":
    """The run of which LangChain tells us something just now."""
    manager = manager_that_speaks(first.id)
    return _newest_first(first)[0] if manager is None else run_of_manager(first, manager)


def manager_that_speaks(run_id: object) -> object:
    """The manager of a run by which LangChain tells us something just now: a function of it is on the stack."""
    for frame in frames_above():
        if frame.f_globals.get("__name__") == CALLBACKS:
            manager = frame.f_locals.get("self")
            if getattr(manager, "run_id", None) == run_id:
                return manager
    return None


def run_of_manager(first: "Run", manager: object) -> "Run":
    """The run that a manager of LangChain's stands for: which it has stood for before, else the newest without one."""
    kind = KINDS.get(type(manager).__name__.removeprefix("Async"))
    runs = [each for each in _newest_first(first) if kind in (None, each.kind)]
    for each in runs:
        if each.manager == id(manager):
            return each
    run = next((each for each in runs if each.manager is None), None)
    if run is None:
        return runs[0] if runs else first
    run.manager = id(manager)
    return run


def leave_told(run_id: object) -> "Run | None":
    """Take out of the table the run of whose end LangChain tells us just now; `None` where it is not there any more."""
    with state.runs_lock:
        first: Any = state.runs.get(run_id)
        run = None if first is None else run_that_speaks(first) if first.others else first
        return run if run is not None and leave(run) else None


def leave(run: "Run") -> bool:
    """Take this very run out of the table; False where it is not there any more."""
    runs: Any = state.runs
    with state.runs_lock:
        if runs.get(run.id) is not run:
            if run in run.others:
                run.others.remove(run)
            return runs.pop(id(run), None) is not None
        if not run.others:
            return runs.pop(run.id, None) is not None
        follower = runs[run.id] = run.others.pop(0)
        runs.pop(id(follower), None)
        return True


def _newest_first(first: "Run") -> "list[Run]":
    return [*reversed(first.others), first]


def _renew() -> None:
    state.runs_lock = make_lock()  # a thread of the parent's may hold the other


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
