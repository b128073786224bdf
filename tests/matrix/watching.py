"""Making calls while something is watched, and everything that was recorded of them."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from ramp_tracing import integrations
from ramp_tracing._record import Generation, Recorded, whole
from ramp_tracing.testing import capture_generations

from .model_server import ModelServer
from .quiet import be_quiet
from .shapes import SHAPES, outcome_of
from .stacks import Stack

IMPORTED_AS: Final = {"langchain": "langchain_core"}
"""A library by its name in a record → by the name of what is hooked."""


def work_of(stack: Stack, shape: str, colour: str, *, server: ModelServer, runner: asyncio.Runner) -> Callable[[], Any]:
    """What makes the calls of one cell."""
    url = server.url(SHAPES[shape].conduct)
    if colour == "sync":
        return lambda: SHAPES[shape].sync(stack, server, url)
    return lambda: runner.run(awaited(lambda: SHAPES[shape].in_async(stack, server, url)))


async def awaited(start: Callable[[], Any]) -> Any:
    """What *start* gives, once it is there."""
    return await start()


def watch(
    work: Callable[[], Any], watched: frozenset[str], *, server: ModelServer, runner: asyncio.Runner
) -> tuple[list[Generation], Any]:
    """
    Do *work* while the libraries of *watched* are watched.

    Returns:
        Every record, in the order in which they were made, and what the application gets.
    """
    told: list[Generation] = []
    with capture_generations() as generations:
        integrations.enable(frozenset(IMPORTED_AS.get(each, each) for each in watched))
        take = generations.record

        def telling(recorded: Recorded) -> None:
            told.append(whole(recorded))
            take(recorded)

        generations.record = telling  # type: ignore[method-assign]
        outcome = outcome_of(work)
        server.let_go()
        be_quiet(runner)
    len(generations)  # what finalizers have left to do is done when somebody looks
    return _without_first_forms(told), outcome


def _without_first_forms(told: list[Generation]) -> list[Generation]:
    """A job is recorded when it is created and once more, under the same id, when it has ended."""
    ended = {each.id for each in told if not each.pending}
    return [each for each in told if not (each.pending and each.id in ended)]
