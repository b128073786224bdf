"""What arrives: of a burst, and through a receiver that is silent for half a minute; and whether memory grows."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from .contenders import CONTENDERS
from .scenarios import SCENARIOS
from .timing import Say
from .workers import Place, Worker, counts, order

CALLS: Final = 10_000
LONG_RUN: Final = 20_000
STEP: Final = 1_000
SILENT_SECONDS: Final = 30.0
SETTLING_SECONDS: Final = 3.0
KIB_OF_MIB: Final = 1_024

Delivered = dict[str, dict[str, float]]
"""Contender → figures."""


def burst(name: str, place: Place) -> dict[str, float]:
    """10,000 calls, then the end of the process, without a word to the contender."""
    with Worker(name, "openai", place) as worker:
        worker.ask("time", "chat", 1)
        counts(place, name)
        figures = worker.ask("many", "chat", CALLS)
    time.sleep(SETTLING_SECONDS)
    return summary(figures, counts(place, name))


def silent(name: str, place: Place) -> dict[str, float]:
    """10,000 calls while the receiver takes requests and answers none, for half a minute at least."""
    with Worker(name, "openai", place) as worker:
        worker.ask("time", "chat", 1)
        counts(place, name)
        order(place.receiver, "silence")
        until = time.monotonic() + SILENT_SECONDS
        try:
            figures = worker.ask("many", "chat", CALLS)
            time.sleep(max(0.0, until - time.monotonic()))
        finally:
            order(place.receiver, "speak")
        figures |= worker.ask("flush", "chat", 0)
    time.sleep(SETTLING_SECONDS)
    return summary(figures, counts(place, name))


def long_run(name: str, place: Place) -> dict[str, float]:
    """20,000 calls of LangChain's: what a call of the second half leaves once it is delivered."""
    with Worker(name, "langchain", place) as worker:
        worker.ask("time", "langchain", SCENARIOS["langchain"].round)
        resident = [_resident_after(worker, STEP) for _ in range(0, LONG_RUN, STEP)]
    return {"KiB a call": (resident[-1] - resident[len(resident) // 2 - 1]) / (LONG_RUN / 2)}


def _resident_after(worker: Worker, calls: int) -> float:
    """Once they are delivered: what waits is no leak, and how much waits differs from one run to the next."""
    worker.ask("many", "langchain", calls)
    return worker.ask("flush", "langchain", 0)["after"]


def summary(figures: dict[str, float], arrived: dict[str, int]) -> dict[str, float]:
    """What is told of a run."""
    grown = (figures["peak"] - figures["before"]) / KIB_OF_MIB
    return {"arrived": arrived["spans"], "requests": arrived["requests"], "grown MiB": grown}


RUNS: Final[dict[str, Callable[[str, Place], dict[str, float]]]] = {"burst": burst, "silent": silent}


def deliver(names: Sequence[str], place: Place, say: Say) -> dict[str, Delivered]:
    """What of each run → contender → figures."""
    found: dict[str, Delivered] = {}
    for what, play in RUNS.items():
        found[what] = {}
        for name in names:
            say(f"{what}: {name}")
            found[what][name] = play(name, place)
    return found


def stay_small(names: Sequence[str], place: Place, say: Say) -> Delivered:
    """The long run of those that can watch LangChain."""
    say("20,000 calls of LangChain's")
    return {name: long_run(name, place) for name in names if "langchain" in CONTENDERS[name].libraries}
