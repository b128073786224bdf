"""Plays a scenario twice, without and with us: the application must get the same, and the records are compared."""

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from operator import attrgetter
from typing import Any

import pytest

from ramp_tracing._captured import Generations, capture_generations
from ramp_tracing._state import state

from .colours import Colour
from .endpoints import ENDPOINTS
from .facts import CHAT, facts_of, seen_by_user
from .provider import Script


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """
    Attributes:
        call: What the application does with its client.
        records: The facts of each record that it must give; exactly one unless it says otherwise.
        answers: Makes what the server answers, beside what OpenAI would: path, by its end → answer.
        raises: The name of the exception that the application gets.
        needs: An attribute of the client that not every major version has.
        options: Of the client.
        stream_usage: The option of `instrument()`.
        leaves: What it leaves behind has to be collected before there is a record.
    """

    call: Callable[[Colour, Any], Any]
    records: tuple[Mapping[str, Any], ...] = (CHAT,)
    answers: Callable[[], Mapping[str, Script]] = dict
    raises: str | None = None
    needs: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    stream_usage: str = "auto"
    leaves: bool = False


def play(scenario: Scenario, colour: Colour) -> tuple[str | None, Any]:
    """What the application gets: the name of the exception if there is one, and the value or the exception."""
    own = scenario.answers()
    colour.provider.answer_with({**own, **ENDPOINTS, **own})
    client = colour.client(**{"base_url": colour.provider.base_url, **scenario.options})
    skip_without(scenario.needs, client)
    try:
        return None, seen_by_user(scenario.call(colour, client))
    except Exception as error:  # noqa: BLE001 - it is what the application gets, and is compared
        return type(error).__name__, seen_by_user(error)
    finally:
        if scenario.leaves:
            gc.collect()
        colour.tidy()


def check(scenario: Scenario, colour: Colour) -> Generations:
    """
    The application sees no difference, and there is exactly what the scenario says.

    Returns:
        The records, for what a single scenario has to add.
    """
    raised, generations = compare(scenario, colour)
    assert (scenario.raises, [dict(each) for each in scenario.records]) == (
        raised,
        [facts_of(each) for each in generations],
    )
    return generations


def compare(scenario: Scenario, colour: Colour) -> tuple[str | None, Generations]:
    """
    The application sees no difference, whatever it sees.

    Returns:
        The name of the exception that it gets, if it gets one, and the records.
    """
    bare = play(scenario, colour)
    with capture_generations() as generations:
        state.stream_usage = scenario.stream_usage  # type: ignore[assignment]
        watched = play(scenario, colour)
        state.stream_usage = "auto"
    assert bare == watched
    return bare[0], generations


def skip_without(needs: str | None, client: Any) -> None:
    """Skip where this version of the client lacks an API; its users cannot call it either."""
    if needs is None:
        return
    try:
        attrgetter(needs)(client)
    except AttributeError:
        library = type(client).__module__.partition(".")[0]
        pytest.skip(f"{library} {version(library)} has no {needs}")
