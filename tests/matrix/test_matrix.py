"""One billable request is one record: every stack, every way to call, with everything watched and with each alone."""

import asyncio
from typing import Any

import pytest

from .lanes import LANES, expected, found, invented, shown
from .model_server import ModelServer
from .quiet import be_quiet
from .shapes import SHAPES, outcome_of
from .stacks import STACKS, Stack
from .watching import watch, work_of

pytestmark = [
    # The libraries' own: unawaited coroutines, sockets, pydantic.
    pytest.mark.filterwarnings("ignore"),
]

CELLS = [
    pytest.param(stack, shape, colour, id=f"{stack.name}-{shape}-{colour}")
    for stack in STACKS
    for shape in SHAPES
    for colour in ("sync", "async")
]

UNWATCHED: dict[tuple[str, str, str], Any] = {}
"""What the application gets in a cell while nothing is watched."""


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize(("stack", "shape", "colour"), CELLS)
def test_one_call_is_one_record(
    stack: Stack, shape: str, colour: str, lane: str, server: ModelServer, runner: asyncio.Runner
) -> None:
    """There are as many records as billable requests, with the server's counts; the application sees no difference."""
    work, cell = work_of(stack, shape, colour, server=server, runner=runner), (stack.name, shape, colour)
    if cell not in UNWATCHED:
        UNWATCHED[cell] = outcome_of(work)
        server.let_go()
        be_quiet(runner)
    records, outcome = watch(work, LANES[lane], server=server, runner=runner)
    rows = expected(server.books, stack, LANES[lane], batch=shape == "batch")
    assert shown(rows) == shown(found(records, rows))
    assert [] == invented(records, server.books)
    assert len(records) == len({each.id for each in records})
    assert UNWATCHED[cell] == outcome
