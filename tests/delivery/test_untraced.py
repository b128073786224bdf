"""Our own requests are not traced by what the application has instrumented."""

import http.client
import sys
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from opentelemetry import context

from ramp_tracing._context import untraced
from ramp_tracing._delivery import Pipeline

from .receiver import Receiver, answer
from .records import config_for, generation

KEYS = ("suppress_instrumentation", "suppress_http_instrumentation")


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What an instrumentation of `http.client`, which asks as those of requests and httpx do, finds at each request."""
    found: list[tuple[object, ...]] = []
    request: Callable[..., None] = http.client.HTTPConnection.request

    def traced(self: http.client.HTTPConnection, *arguments: Any, **named: Any) -> None:
        found.append(tuple(context.get_value(key) for key in KEYS))
        request(self, *arguments, **named)

    monkeypatch.setattr(http.client.HTTPConnection, "request", traced)
    return found


def test_instrumentations_are_told_to_look_away(looked_up: list[tuple[object, ...]]) -> None:
    """At a real request, whichever thread makes it; and nobody else is told."""
    with Receiver.which(answer(200)) as receiver:
        pipeline = Pipeline(config_for(receiver.url), linger_seconds=0.0)
        pipeline.record(generation(1))
        assert pipeline.flush(30)
        pipeline.shutdown(30)
        ours = list(looked_up)
        with closing(http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=30)) as of_the_application:
            of_the_application.request("POST", "/", b"{}")
    assert ours
    assert set(ours) == {(True, True)}
    assert looked_up[len(ours) :] == [(None, None)]


def test_it_ends_with_the_request() -> None:
    """Also with one that fails."""
    seen: list[object] = []

    def fail() -> None:
        with untraced():
            seen.append(context.get_value(KEYS[0]))
            raise OSError("refused")

    with pytest.raises(OSError, match="refused"):
        fail()
    assert seen == [True]
    assert context.get_value(KEYS[0]) is None


def test_opentelemetry_is_not_imported_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has not imported it has instrumented nothing with it."""
    monkeypatch.delitem(sys.modules, "opentelemetry.context")
    with untraced():
        assert "opentelemetry.context" not in sys.modules
