"""What must be reached, row by row, and whether it was: from the figures of one run."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from . import instructions, timing
from .contenders import PEERS

Results = Mapping[str, Any]
"""Part of the benchmark → what it found; a part that was not run is not there."""

Read = Callable[[Results], float | None]
"""A figure; `None` where it was not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """
    One row.

    Attributes:
        what: What is measured.
        unit: Of the figure and the limit.
        figure: Ours.
        limit: What it may be at most, or must be at least.
        at_least: The limit is the least.
        cheapest: The same figure of the cheapest peer, if peers have it.
        noise: The same figure of the bare application beside itself, where the clock measured it.
    """

    what: str
    unit: str
    figure: Read
    limit: Read
    at_least: bool = False
    cheapest: Read = lambda _: None
    noise: Read = lambda _: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """
    What became of a goal.

    Attributes:
        goal: Which.
        figure: Ours; `None` if it was not measured.
        limit: See `Goal`; `None` if it depends on what was not measured.
        cheapest: The cheapest peer's.
        noise: See `Goal`.
    """

    goal: Goal
    figure: float | None
    limit: float | None
    cheapest: float | None
    noise: float | None

    @property
    def word(self) -> str:
        """``pass``, ``FAIL``, ``noise`` where that is as large as what is allowed, ``–`` where nothing was measured."""
        if self.figure is None or self.limit is None:
            return "–"
        if self.noise is not None and abs(self.noise) >= self.limit:
            return "noise"
        reached = self.figure >= self.limit if self.goal.at_least else self.figure <= self.limit
        return "pass" if reached else "FAIL"


def fixed(limit: float) -> Read:
    """A limit that depends on nothing."""
    return lambda _: limit


def counted(scenario: str, contender: str = "ours") -> Read:
    """Instructions that a contender adds to a call on the caller's thread."""
    return lambda results: instructions.added(results.get("instructions", {}).get(scenario, {}), contender)


def timed(scenario: str, figure: str, contender: str = "ours") -> Read:
    """What a contender adds to a figure of `timing`."""
    return lambda results: timing.added(results.get("timing", {}).get(scenario, {}), contender, figure)


def cheapest(read: Callable[[str], Read]) -> Read:
    """The least that a peer adds, of those that were measured and reported what they saw."""

    def least(results: Results) -> float | None:
        found = [figure for peer in PEERS if (figure := read(peer)(results)) is not None]
        return min(found, default=None)

    return least


def part(share: float, read: Read) -> Read:
    """A share of another figure."""

    def of(results: Results) -> float | None:
        figure = read(results)
        return None if figure is None else figure * share

    return of


def less(one: Read, other: Read, per: float = 1.0) -> Read:
    """The difference of two figures, for each of *per*."""

    def difference(results: Results) -> float | None:
        a, b = one(results), other(results)
        return None if a is None or b is None else (a - b) / per

    return difference


def per_chunk(contender: str) -> Read:
    """Instructions for a chunk: what 400 chunks cost more than 200."""
    return less(counted("stream 400", contender), counted("stream 200", contender), per=200)


def found(*path: str) -> Read:
    """A figure as a part of the benchmark has it."""

    def figure(results: Results) -> float | None:
        level: Any = results
        for key in path:
            level = level.get(key) if isinstance(level, Mapping) else None
        return len(level) if isinstance(level, list) else level

    return figure


def grown(what: str, figure: str) -> Read:
    """What we add to the memory that the application itself takes."""
    return less(found(what, "ours", figure), found(what, "baseline", figure))


def compared(scenario: str, figure: str) -> Read:
    """A figure of `timing` of the cheapest peer."""
    return cheapest(lambda peer: timed(scenario, figure, peer))


def counted_of_peers(scenario: str) -> Read:
    """Instructions of the cheapest peer."""
    return cheapest(lambda peer: counted(scenario, peer))


def goal(what: str, unit: str, figure: Read, limit: float | Read, **also: Any) -> Goal:
    """One row, with a limit that may be a number."""
    return Goal(what=what, unit=unit, figure=figure, limit=limit if callable(limit) else fixed(limit), **also)


INSTRUCTIONS: Final = "instructions"
GOALS: Final = (
    goal("chat, caller", INSTRUCTIONS, counted("chat"), 100_000, cheapest=counted_of_peers("chat")),
    goal("chat, caller, without the journal's write", INSTRUCTIONS, counted("chat", "ours, unwritten"), 40_000),
    goal("responses, caller", INSTRUCTIONS, counted("responses"), 100_000, cheapest=counted_of_peers("responses")),
    goal(
        "responses, caller, without the journal's write", INSTRUCTIONS, counted("responses", "ours, unwritten"), 40_000
    ),
    goal(
        "chat, caller's added CPU, at most 1/8 of the cheapest peer",
        "µs",
        timed("chat", "caller"),
        part(1 / 8, compared("chat", "caller")),
        cheapest=compared("chat", "caller"),
        noise=timed("chat", "caller", "baseline again"),
    ),
    goal(
        "the same in instructions, which decide where the noise is as large",
        INSTRUCTIONS,
        counted("chat"),
        part(1 / 8, counted_of_peers("chat")),
        cheapest=counted_of_peers("chat"),
    ),
    goal(
        "chat, all threads, until delivered, at most 1/3 of the cheapest peer",
        "µs",
        timed("chat", "all"),
        part(1 / 3, compared("chat", "all")),
        cheapest=compared("chat", "all"),
        noise=timed("chat", "all", "baseline again"),
    ),
    goal("stream, caller, a chunk", INSTRUCTIONS, per_chunk("ours"), 3_000, cheapest=cheapest(per_chunk)),
    goal(
        "stream of 2,000 chunks, peak of memory",
        "KiB",
        timed("stream 2,000", "peak"),
        64,
        cheapest=compared("stream 2,000", "peak"),
    ),
    goal(
        "prompt of 2 MB, caller, more than one of 1 kB",
        "µs",
        less(timed("prompt 2 MB", "caller"), timed("chat", "caller")),
        100,
        noise=timed("prompt 2 MB", "caller", "baseline again"),
    ),
    goal(
        "the same in instructions (0.1 ms of this machine's)",
        INSTRUCTIONS,
        less(counted("prompt 2 MB"), counted("chat")),
        700_000,
    ),
    goal(
        "embeddings 42 × 1,536, caller",
        INSTRUCTIONS,
        counted("embeddings 42"),
        100_000,
        cheapest=counted_of_peers("embeddings 42"),
    ),
    goal("embeddings, memory held until delivery", "KiB", timed("embeddings", "held"), 64),
    goal(
        "LangChain, caller",
        "µs",
        timed("langchain", "caller"),
        60,
        cheapest=compared("langchain", "caller"),
        noise=timed("langchain", "caller", "baseline again"),
    ),
    goal(
        "LangChain, caller, at most 1/5 of the cheapest peer",
        INSTRUCTIONS,
        counted("langchain"),
        part(1 / 5, counted_of_peers("langchain")),
        cheapest=counted_of_peers("langchain"),
    ),
    goal(
        "LiteLLM, all threads, until delivered, at most 1/3 of the cheapest peer",
        "µs",
        timed("litellm", "all"),
        part(1 / 3, compared("litellm", "all")),
        cheapest=compared("litellm", "all"),
        noise=timed("litellm", "all", "baseline again"),
    ),
    goal(
        "import and instrument()",
        "ms CPU",
        found("starting", "ours", "milliseconds"),
        40,
        cheapest=cheapest(lambda peer: found("starting", peer, "milliseconds")),
    ),
    goal(
        "import and instrument(), memory",
        "MiB",
        found("starting", "ours", "MiB"),
        2,
        cheapest=cheapest(lambda peer: found("starting", peer, "MiB")),
    ),
    goal("heavy packages loaded on the caller's thread", "packages", found("starting", "ours", "heavy"), 0),
    goal(
        "10,000 calls, receiver silent for 30 s: arrived",
        "calls",
        found("silent", "ours", "arrived"),
        10_000,
        at_least=True,
    ),
    goal("the same, resident memory", "MiB", grown("silent", "grown MiB"), 64),
    goal("20,000 LangChain calls, memory kept", "KiB a call", found("long run", "ours", "KiB a call"), 0.1),
    goal("drained by one process", "records/s", found("own", "drained", "delivered a second"), 5_000, at_least=True),
    goal("100,000 waiting records sent", "s", found("own", "adopted", "all arrived s"), 20),
    goal("URL that is not billable", INSTRUCTIONS, counted("models list"), 5_000),
)
"""In the order in which a call meets them."""


def judge(results: Results) -> Iterator[Verdict]:
    """Every goal."""
    for each in GOALS:
        reads = (each.figure, each.limit, each.cheapest, each.noise)
        figure, limit, cheapest_peer, noise = (read(results) for read in reads)
        yield Verdict(goal=each, figure=figure, limit=limit, cheapest=cheapest_peer, noise=noise)
