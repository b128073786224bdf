"""What Ramp would receive, received: spans and unified events."""

from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from .._fake_ramp import CONNECTION_TEST
from .._loopback import Refusal, gunzip
from .._received import read_spans
from ._doors import Doors, refusal
from ._entry import read_entry
from ._ledger import Ledger
from ._unified import read_events

MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""Unpacked. Sixteen times what the exporter puts into a request unless told otherwise."""


class Receiver:
    """
    Takes requests as Ramp does.

    Args:
        ledger: Where calls are kept.
        doors: Who may send.
        max_body_bytes: A longer body, or one that unpacks to more, is refused with 413.
    """

    def __init__(self, ledger: Ledger, doors: Doors, *, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._ledger = ledger
        self._doors = doors
        self._max_body_bytes = max_body_bytes

    async def spans(self, request: Request) -> Response:
        """OTLP, as JSON or protobuf. What is in no trace of a call is taken and not kept."""
        body = await self._body(request)
        if isinstance(body, Response):
            return body
        content_type = request.headers.get("content-type", "")
        try:
            await run_in_threadpool(self._keep_spans, body, content_type, "x-test-connection" in request.headers)
        except (ValueError, RecursionError) as error:
            return refusal(400, str(error) or "the body is nested too deep")
        if "protobuf" in content_type:
            return Response(media_type="application/x-protobuf")
        return JSONResponse({})

    async def unified(self, request: Request) -> Response:
        """Unified events."""
        body = await self._body(request)
        if isinstance(body, Response):
            return body
        try:
            await run_in_threadpool(self._keep_events, body)
        except (ValueError, RecursionError) as error:
            return refusal(400, str(error) or "the body is nested too deep")
        return Response(status_code=204)

    def _keep_spans(self, body: bytes, content_type: str, is_test: bool) -> None:
        spans = [each for each in read_spans(body, content_type) if each.name != CONNECTION_TEST]
        if is_test:
            return
        entries = [read_entry(each) for each in spans if each.is_generation]
        self._ledger.keep(entries, [each for each in spans if not each.is_generation])

    def _keep_events(self, body: bytes) -> None:
        self._ledger.keep(read_events(body))

    async def _body(self, request: Request) -> bytes | Response:
        """The unpacked body of a request that may send, or why not."""
        if (answer := self._doors.refuses_sender(request)) is not None:
            return answer
        encoding = request.headers.get("content-encoding", "identity").lower()
        if encoding not in ("identity", "gzip"):
            return refusal(415, "the content encoding is not known here")
        try:
            sent = await self._sent(request)
            return await run_in_threadpool(gunzip, sent, max_bytes=self._max_body_bytes) if encoding == "gzip" else sent
        except Refusal as refused:
            return refusal(refused.status, str(refused), {"Connection": "close"})
        except ClientDisconnect:
            return refusal(400, "the body ends early")

    async def _sent(self, request: Request) -> bytes:
        sent = bytearray()
        async for piece in request.stream():
            sent += piece
            if len(sent) > self._max_body_bytes:
                raise Refusal(413, f"the body is longer than {self._max_body_bytes} bytes")
        return bytes(sent)
