"""
Which runs of LangChain's a call that starts here is made for: those whose functions are on the stack, or who asked.

A model's run is its own caller's answer to "who records this?": the client below claims it, when a frame of the run is
on the stack, and then records the call with the run's names. What is never claimed is LangChain's to record.
"""

from collections.abc import Iterator, Sequence
from itertools import dropwhile
from types import FrameType
from typing import Any, Final, cast

from .._context import Around
from .._state import state
from ._askers import asked_in_context, frames_of_asker
from ._configured import config_here, configured_here
from ._run import Run, run_of
from ._same_id import CALLBACKS, run_of_manager
from ._stack import frames_above

MAX_DEPTH: Final = 48
"""Frames that are looked at. A tool's code, or LiteLLM, stands between the client and the run."""

BATCHING: Final = "langchain_core.language_models.llms"
"""Where one request is made for the runs of many prompts."""


def around(*, answers: bool) -> Around | None:
    """
    What LangChain says of the call that starts here, by a client or by a layer that is about to record it.

    The models' runs on the stack are claimed by this: a model that asks another one has made that one's call.

    Args:
        answers: It is a call that a model's answer can come from. A model's cache, or a model that looks something up,
            asks for embeddings, which are not its answer.
    """
    nearest = claim(by_handler=False) if answers else next(runs_here(by_handler=False), None)
    if nearest is None:
        nearest = _run_of_context()
        return None if nearest is None else _asked_in(nearest)
    if nearest.kind == "model":
        return nearest.around(itself=answers)
    return _asked_in(nearest)


def _asked_in(run: Run) -> Around:
    """What is to be said of a call that the code of a chain, a tool or a node makes itself."""
    said = run.around(itself=False)
    return said._replace(given=said.given.over(configured_here()))


def claim(*, by_handler: bool) -> Run | None:
    """
    Claim every model's run that is in the middle of its call here.

    Args:
        by_handler: Our own callback asks, because another model's run begins; it has no use for the answer.

    Returns:
        The nearest run of any kind.
    """
    if by_handler and not _is_model_open():
        return None
    nearest, found, claims = None, set[object](), False
    for run in runs_here(by_handler=by_handler):
        nearest = nearest or run
        if run.kind == "model":
            run.claimed = claims = True
        found.add(run.id)
        if len(found) >= len(state.runs):  # saves the rest of the stack, whose frames are dear to look into
            break
    if not claims:
        for run in _runs_of_asker():
            nearest = nearest or run
            run.claimed = run.claimed or run.kind == "model"
    return nearest


def _is_model_open() -> bool:
    """Whether there is any run that could be claimed; between the models of a chain there is none."""
    runs: Any = tuple(state.runs.values())  # not `cast` for each, which is a call
    return any(run.kind == "model" for run in runs)


def runs_here(*, by_handler: bool) -> Iterator[Run]:
    """The runs on this stack, the nearest first."""
    frames = frames_above(MAX_DEPTH)
    if by_handler:  # what LangChain does to call us is no callback of the application's
        frames = dropwhile(_calls_back, dropwhile(lambda frame: not _calls_back(frame), frames))
    return _runs_on(frames)


def _runs_of_asker() -> list[Run]:
    """
    The models that have started the thread or the task which runs here, and are waiting for it.

    Not one whose answer is coming already: whoever reads it has the same context, and may start threads of their own
    with that, while the model's function is on the stack of the reader.
    """
    asked = [each for each in asked_in_context() if each in state.runs]
    return [run for run in _runs_on(frames_of_asker()) if run.id in asked and not run.streams] if asked else []


def _runs_on(frames: Iterator[FrameType]) -> Iterator[Run]:
    """
    The runs that the functions of a stack work for, the nearest first.

    A callback of the application's that makes a call of its own, while a model tells it something, is no model.
    """
    in_callback = False
    for frame in frames:
        module = frame.f_globals.get("__name__")
        in_callback = in_callback or module == CALLBACKS
        for manager in _managers_in(frame, module):
            run = _run_of_manager(manager)
            if run is not None and not (in_callback and run.kind == "model"):
                yield run


def _calls_back(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__") == CALLBACKS


def _managers_in(frame: FrameType, module: object) -> Sequence[object]:
    """
    What says for which runs *frame* works: LangChain hands each function of a model, a tool or a chain its
    ``run_manager``.

    Part of its public interface for those who write models; a run that is not open, or a name that means something
    else, is nobody's.
    """
    code = frame.f_code
    names = code.co_varnames
    if module == BATCHING and "run_managers" in names:
        managers = frame.f_locals.get("run_managers")
        return cast("list[object]", managers) if isinstance(managers, list) else ()
    if "run_manager" in names or "run_manager" in code.co_cellvars:
        return (frame.f_locals.get("run_manager"),)
    return ()


def _run_of_manager(manager: object) -> Run | None:
    try:
        run = run_of(getattr(manager, "run_id", None))
    except TypeError:  # not hashable: somebody else's
        return None
    if run is not None and run.others:
        return run_of_manager(run, manager)
    if run is not None:
        run.manager = id(manager)  # another may get the same id while it is open
    return run


def _run_of_context() -> Run | None:
    """The tool, or the node, whose code runs here in a task or a thread of its own."""
    return run_of(getattr(config_here().get("callbacks"), "parent_run_id", None))
