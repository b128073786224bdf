"""Time and memory of calls: short rounds in turns, A B C A B C, so that a busy minute is everybody's."""

from collections.abc import Callable, Collection, Mapping, Sequence
from statistics import median
from typing import Final

from .scenarios import ALL, SCENARIOS, Library
from .workers import Place, Worker, counts, working

Figures = dict[str, dict[str, list[float]]]
"""Contender → figure → its value in each round."""

Rounds = dict[str, Figures]
"""By scenario."""

LIBRARIES: Final[tuple[Library, ...]] = ("openai", "langchain", "litellm")

ALLOCATED: Final = 10
"""Acts after which kept memory is looked at."""

Say = Callable[[str], None]
"""Tells the person who waits how far it is."""


def take_turns(names: Sequence[str], rounds: int, place: Place, say: Say) -> Rounds:
    """Time every scenario, with every contender that can watch its library."""
    found: Rounds = {}
    for library in LIBRARIES:
        with working(names, library, place) as workers:
            for scenario in (name for name, row in SCENARIOS.items() if row.library == library):
                say(f"timing {scenario}")
                found[scenario] = {name: {} for name in workers}
                play(scenario, workers.values(), rounds, found[scenario])
                weigh(scenario, workers.values(), place, found[scenario])
    return found


def play(scenario: str, workers: Collection[Worker], rounds: int, found: Figures) -> None:
    """Let the workers take turns. The first turn is for warming up."""
    for turn in range(rounds + 1):
        for worker in workers:
            figures = worker.ask("time", scenario, ALL[scenario].round)
            if turn:
                note(found[worker.name], figures)


def weigh(scenario: str, workers: Collection[Worker], place: Place, found: Figures) -> None:
    """What calls allocate, and what they are on the wire; it takes its own turn, because tracing is slow."""
    for worker in workers:
        counts(place, worker.name)
        note(found[worker.name], worker.ask("allocate", scenario, ALLOCATED))
        sent = counts(place, worker.name)
        if sent["spans"]:
            note(
                found[worker.name],
                {"bytes sent": sent["sent"] / sent["spans"], "bytes raw": sent["raw"] / sent["spans"]},
            )


def note(found: dict[str, list[float]], figures: Mapping[str, float]) -> None:
    """Add the figures of a round."""
    for name, figure in figures.items():
        found.setdefault(name, []).append(figure)


def added(rounds: Figures, contender: str, figure: str) -> float | None:
    """What a contender adds to the baseline: the median over the rounds; `None` where it was not measured."""
    if contender not in rounds or figure not in rounds[contender]:
        return None
    pairs = zip(rounds[contender][figure], rounds["baseline"][figure], strict=True)
    return median(each - base for each, base in pairs)
