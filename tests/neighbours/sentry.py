"""Sentry, with everything that it switches on by itself when it finds openai."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .steady import steady

KEPT = ("op", "description", "status", "origin", "data", "tags")


class Sentry:
    """https://docs.sentry.io/platforms/python/integrations/openai/"""

    packages = ("sentry-sdk",)
    can_stop = False

    def __init__(self) -> None:
        self._events: list[Any] = []
        self._started = False

    def start(self) -> None:
        import sentry_sdk
        from sentry_sdk.transport import Transport

        events = self._events

        class Keeping(Transport):
            def capture_envelope(self, envelope: Any) -> None:
                events.extend(each.payload.json for each in envelope.items if each.payload.json)

        sentry_sdk.init(
            dsn="http://key@127.0.0.1:9/1",
            transport=Keeping,
            traces_sample_rate=1.0,
            send_default_pii=True,
            auto_session_tracking=False,
            enable_http_request_source=False,  # where in the application a slow request was made
        )
        self._started = True

    def stop(self) -> None:
        raise NotImplementedError

    @contextmanager
    def around(self, label: str) -> Iterator[None]:
        if not self._started:
            yield
            return
        import sentry_sdk

        with sentry_sdk.isolation_scope(), sentry_sdk.start_transaction(name=label, op="task"):
            yield

    def taken(self) -> list[Any]:
        events, self._events[:] = list(self._events), []
        return [_readable(each) for each in events]


def _readable(event: Any) -> Any:
    """A transaction with its spans, or an error with its exceptions and breadcrumbs."""
    spans = [{key: each.get(key) for key in KEPT} for each in event.get("spans", ())]
    errors = [[each.get("type"), each.get("value")] for each in (event.get("exception") or {}).get("values", ())]
    crumbs = [
        [each.get("category"), each.get("message"), each.get("data")]
        for each in (event.get("breadcrumbs") or {}).get("values", ())
    ]
    named = {"type": event.get("type", "error"), "transaction": event.get("transaction"), "level": event.get("level")}
    return steady({**named, "spans": spans, "errors": errors, "crumbs": crumbs})
