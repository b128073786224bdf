"""Our own requests are not traced by what the application has instrumented."""

import http.client
import socket
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


def send_a_record_to(receiver: Receiver) -> None:
    pipeline = Pipeline(config_for(receiver.url), linger_seconds=0.0)
    pipeline.record(generation(1))
    assert pipeline.flush(30)
    pipeline.shutdown(30)


def ask_as_the_application_does(receiver: Receiver) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=30)) as connection:
        connection.request("POST", "/", b"{}")
        connection.getresponse().read()


def test_instrumentations_are_told_to_look_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """What those of OpenTelemetry's look up is there when we connect, whichever thread does; nobody else is told."""
    found: list[tuple[object, ...]] = []
    connect = socket.socket.connect

    def traced(self: socket.socket, address: Any) -> None:
        found.append(tuple(context.get_value(key) for key in KEYS))
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", traced)
    with Receiver.which(answer(200)) as receiver:
        send_a_record_to(receiver)
        ours = list(found)
        ask_as_the_application_does(receiver)
    assert ours
    assert set(ours) == {(True, True)}
    assert found[len(ours) :] == [(None, None)]


@pytest.mark.parametrize("method", ["request", "putrequest", "putheader", "endheaders", "getresponse"])
def test_who_replaces_the_methods_of_http_client_sees_nothing_of_ours(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Sentry and ddtrace do, and ask nobody: they add headers with the application's trace to what passes.

    Sentry also hands the transaction that is open where a thread is started on to it: ours lives longer than that.
    """
    seen: list[str] = []
    before: Callable[..., Any] = getattr(http.client.HTTPConnection, method)

    def traced(self: http.client.HTTPConnection, *arguments: Any, **named: Any) -> Any:
        seen.append(method)
        return before(self, *arguments, **named)

    monkeypatch.setattr(http.client.HTTPConnection, method, traced)
    with Receiver.which(answer(200)) as receiver:
        send_a_record_to(receiver)
        assert receiver.requests
        assert seen == []
        ask_as_the_application_does(receiver)
    assert seen


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
