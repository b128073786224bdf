"""The calls themselves: recorded by hand, or made with the openai client."""

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

import ramp_tracing

from .ledger import VARIABLE, Ledger, cost_of, input_tokens_of, marker
from .poison import ODD_NUMBERS, POISONS
from .program import Program
from .tally import UNCHECKED_LABEL
from .troubles import TROUBLES

PROVIDER_VARIABLE: Final = "FAULTS_PROVIDER"
"""The environment variable with the model server's address."""

PROMPT: Final = "canary-prompt-5208 "
"""Begins every prompt; it must not be found on the disk."""

NAP_SECONDS: Final = 0.003
"""Below that, sleeping takes longer than it should."""


@cache
def ledger() -> Ledger:
    """This process's view of the ledger; a forked child shares its parent's."""
    return Ledger(os.environ[VARIABLE])


def make_calls(program: Program, label: str, count: int | None = None) -> None:
    """
    Make calls and tell the ledger of each that has returned.

    Args:
        program: How many, how fast, of what kind.
        label: Goes into the markers; each thread and process has its own.
        count: How many, if not as many as the program says.
    """
    call = CALLERS[program.source](program.prompt_bytes)
    for number in _paced(program, count):
        if label == program.label and number == program.records // 2:
            _in_the_middle(program)
        name = marker(label, number)
        call(name)
        ledger().returned(name)


async def make_calls_async(program: Program, label: str) -> None:
    """The same in a task."""
    prompt = prompt_of(program.prompt_bytes)
    async for number in _paced_async(program):
        name = marker(label, number)
        async with ramp_tracing.record_generation(**facts_of(name, prompt)):
            await asyncio.sleep(0)
        ledger().returned(name)


def _paced(program: Program, count: int | None) -> Iterator[int]:
    started = time.perf_counter()
    limit = program.records if count is None else count
    for number in itertools.count() if program.ending == "endless" else range(limit):
        ahead = _ahead(program, number, started)
        if ahead > NAP_SECONDS:
            time.sleep(ahead)
        yield number


async def _paced_async(program: Program) -> AsyncIterator[int]:
    started = time.perf_counter()
    for number in range(program.records):
        await asyncio.sleep(max(0.0, _ahead(program, number, started)))
        yield number


def _ahead(program: Program, number: int, started: float) -> float:
    due = started if program.per_second is None else started + number / program.per_second
    return due - time.perf_counter()


def _in_the_middle(program: Program) -> None:
    if program.trouble:
        TROUBLES[program.trouble].in_the_middle()
    if program.poison:
        _call_with_poison(program.poison)


def _call_with_poison(name: str) -> None:
    numbers = ODD_NUMBERS.get(name)
    marked = marker(UNCHECKED_LABEL if numbers is not None else "poison", 0)
    more = POISONS[name]() if numbers is None else numbers
    ramp_tracing.record_generation(**{**facts_of(marked, prompt_of(40)), **more})
    ledger().returned(marked)


def prompt_of(size_bytes: int) -> str:
    """A prompt of about this size, which can be recognised."""
    return (PROMPT * (size_bytes // len(PROMPT) + 1))[: max(size_bytes, len(PROMPT))]


def facts_of(name: str, prompt: str) -> dict[str, Any]:
    """A call, by hand: its numbers follow from its marker."""
    return {
        "provider": "openai",
        "model": "gpt-4o",
        "input_tokens": input_tokens_of(name),
        "output_tokens": 7,
        "cost": cost_of(name),
        "session_id": name,
        "input_messages": [{"role": "user", "content": prompt}],
        "output_messages": "Yes.",
    }


def _by_hand(prompt_bytes: int) -> Callable[[str], None]:
    prompt = prompt_of(prompt_bytes)

    def call(name: str) -> None:
        ramp_tracing.record_generation(**facts_of(name, prompt))

    return call


def _with_openai(prompt_bytes: int) -> Callable[[str], None]:
    import openai

    client = openai.OpenAI(base_url=os.environ[PROVIDER_VARIABLE], api_key="provider-key", max_retries=0)
    prompt = prompt_of(prompt_bytes)

    def call(name: str) -> None:
        with ramp_tracing.trace(session_id=name):
            client.chat.completions.create(
                model="gpt-4o", messages=[{"role": "system", "content": name}, {"role": "user", "content": prompt}]
            )

    return call


CALLERS: Final[Mapping[str, Callable[[int], Callable[[str], None]]]] = {"by_hand": _by_hand, "openai": _with_openai}
