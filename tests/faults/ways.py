"""Where an application makes its calls: in one thread, in many, in a loop, in children."""

import asyncio
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.process import BaseProcess
from typing import Final

from .calls import make_calls, make_calls_async
from .program import Program, Way

BEFORE_THE_CHILDREN: Final = 20
"""Calls of the parent while it is alone; some of them are waiting when it forks."""


def plain(program: Program) -> None:
    make_calls(program, program.label)


def threads(program: Program) -> None:
    running = [threading.Thread(target=make_calls, args=(program, f"t{each}")) for each in range(program.children)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def asynchronously(program: Program) -> None:
    async def tasks() -> None:
        await asyncio.gather(*(make_calls_async(program, f"a{each}") for each in range(program.children)))

    asyncio.run(tasks())


def fork(program: Program) -> None:
    """Children that end as Python programs do."""
    _fork(program, lambda: sys.exit(0))


def fork_os_exit(program: Program) -> None:
    """Children that end on the spot."""
    _fork(program, lambda: os._exit(0))


def _fork(program: Program, end: Callable[[], None]) -> None:
    make_calls(program, program.label, BEFORE_THE_CHILDREN)
    children: list[int] = []
    for each in range(program.children):
        child = os.fork()
        if child == 0:
            make_calls(program, f"c{each}")
            end()
        children.append(child)
    make_calls(program, "after", BEFORE_THE_CHILDREN)
    for child in children:
        os.waitpid(child, 0)


def mp_fork(program: Program) -> None:
    context = multiprocessing.get_context("fork")
    _multiply(program, [context.Process(target=_child, args=(program, each)) for each in range(program.children)])


def mp_spawn(program: Program) -> None:
    context = multiprocessing.get_context("spawn")
    _multiply(program, [context.Process(target=_new_child, args=(program, each)) for each in range(program.children)])


def _multiply(program: Program, children: Sequence[BaseProcess]) -> None:
    make_calls(program, program.label, BEFORE_THE_CHILDREN)
    for child in children:
        child.start()
    make_calls(program, "after", BEFORE_THE_CHILDREN)
    for child in children:
        child.join()


def pool(program: Program) -> None:
    make_calls(program, program.label, BEFORE_THE_CHILDREN)
    with ProcessPoolExecutor(program.children, mp_context=multiprocessing.get_context("fork")) as executor:
        list(executor.map(_child, [program] * program.children, range(program.children)))


def _child(program: Program, number: int) -> None:
    make_calls(program, f"c{number}")


def _new_child(program: Program, number: int) -> None:
    """A child that has nothing of its parent."""
    from .app import ready

    ready(program)
    _child(program, number)


WAYS: Final[Mapping[Way, Callable[[Program], None]]] = {
    "plain": plain,
    "threads": threads,
    "asyncio": asynchronously,
    "fork": fork,
    "fork_os_exit": fork_os_exit,
    "mp_fork": mp_fork,
    "mp_spawn": mp_spawn,
    "pool": pool,
}
