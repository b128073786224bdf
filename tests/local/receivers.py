"""The local receiver as it is served, in this process, and what is sent to it."""

import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import uvicorn

from ramp_tracing._fake_ramp import PATH
from ramp_tracing.local._doors import Doors
from ramp_tracing.local._ledger import Ledger
from ramp_tracing.local._serving import build_app

UNIFIED: Final = "/developer/v1/ai-usage/unified"

SECONDS: Final = 90.0
"""For whatever waits: a busy machine needs a while."""

DAY: Final = 86_400_000_000_000

JULY: Final = 1_782_864_000_000_000_000
"""2026-07-01T00:00:00Z."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    url: str
    ledger: Ledger

    def send(self, path: str, body: bytes, **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.exchange(
            "POST", path, body, {"Authorization": "Bearer any", "Content-Type": "application/json"} | named
        )

    def spans(self, *spans: Mapping[str, object], **headers: str) -> Reply:
        return self.send(PATH, json.dumps(request_of(*spans)).encode(), **headers)

    def ask(self, path: str, **parameters: str) -> Any:
        query = urllib.parse.urlencode({name.replace("__", "."): value for name, value in parameters.items()})
        reply = self.get(f"/api/{path}?{query}")
        assert reply.status == 200, reply.body
        return reply.json

    def get(self, path: str, **headers: str) -> Reply:
        return self.exchange("GET", path, None, headers)

    def exchange(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        request = urllib.request.Request(self.url + path, body, dict(headers), method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=SECONDS) as answer:
                return Reply(status=answer.status, headers=dict(answer.headers), body=answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(status=error.code, headers=dict(error.headers), body=error.read())


@contextmanager
def running(path: Path, doors: Doors | None = None, *, max_body_bytes: int = 200_000) -> Iterator[Running]:
    with Ledger(path) as ledger:
        app = build_app(ledger, doors or Doors(), max_body_bytes=max_body_bytes)
        server = uvicorn.Server(
            uvicorn.Config(app, port=0, log_config=None, lifespan="on", ws="none", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            wait_until(lambda: server.started)
            port = server.servers[0].sockets[0].getsockname()[1]
            yield Running(url=f"http://127.0.0.1:{port}", ledger=ledger)
        finally:
            server.should_exit = True
            thread.join(SECONDS)


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def span(number: int = 1, **changes: Any) -> dict[str, object]:
    """A call as a span; *changes* are attributes, with `__` for a dot, or fields of the span that are in `FIELDS`."""
    fields = {name: changes.pop(name) for name in FIELDS & changes.keys()}
    attributes = {
        "span.type": "generation",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.response.model": "openai/gpt-4o",
        "gen_ai.response.id": f"gen-{number}",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.total_cost": Decimal("0.0000000001"),
    } | {name.replace("__", "."): value for name, value in changes.items()}
    start = fields.pop("start", JULY)
    return {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": "LLM Generation",
        "kind": 3,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 1_500_000_000),
        "status": {"code": 1},
        "attributes": [{"key": key, "value": _value(value)} for key, value in attributes.items() if value is not None],
    } | fields


FIELDS: Final = {"start", "traceId", "spanId", "parentSpanId", "name", "status", "events"}


def request_of(*spans: Mapping[str, object]) -> dict[str, object]:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "tests"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": list(spans)}]}]}


def event(number: int = 1, **changes: object) -> dict[str, object]:
    return {
        "event_id": f"event-{number}",
        "source": "ramp-tracing",
        "occurred_at": "2026-07-21T10:05:00.250Z",
        "provider": "openai",
        "model": "gpt-4o",
        "usage": {"input_tokens": 42, "output_tokens": 118, "meters": []},
        "reported_cost": {"amount": "0.001285", "currency": "USD", "provenance": "price_table", "estimated": True},
        "attribution": {"user_id": "ana", "tags": {"department": "finance"}},
    } | changes


def events_of(*events: Mapping[str, object]) -> bytes:
    return json.dumps({"schema_version": "1.0", "events": list(events)}).encode()


def _value(value: object) -> dict[str, object]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": value}
    # As text, which OTLP allows, because a float would not be exact.
    return {"doubleValue": str(value)} if isinstance(value, Decimal) else {"stringValue": value}
