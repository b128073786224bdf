"""What the page, and `ramp-tracing report`, ask over HTTP."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from ._doors import COOKIE, Doors, refusal
from ._keys import KEYS, META, Filter, QuestionError, read_filter
from ._ledger import Ledger
from ._listing import call_by_id, csv_of, page_of_calls, values_of
from ._mirror import Mirror
from ._report import mirror_rows
from ._spend import overview

MAX_KEY_CHARACTERS: Final = 4_096


class AsciiJson(JSONResponse):
    """JSON that spells what is not ASCII: half a surrogate pair, which UTF-8 cannot carry, comes as it was sent."""

    def render(self, content: object) -> bytes:
        """*content* as bytes."""
        return json.dumps(content, separators=(",", ":")).encode()


class Api:
    """
    Answers questions about what was received.

    Args:
        ledger: What was received.
        mirror: The same, for sums.
        doors: Who may ask.
    """

    def __init__(self, ledger: Ledger, mirror: Mirror, doors: Doors) -> None:
        self._ledger = ledger
        self._mirror = mirror
        self._doors = doors

    async def overview(self, request: Request) -> Response:
        """Totals, the course of time, the largest, the speed."""
        by, step = request.query_params.get("by", "model"), request.query_params.get("step")
        return await self._answer(request, lambda chosen: overview(self._mirror, chosen, by=by, step=step))

    async def calls(self, request: Request) -> Response:
        """A page of calls."""
        asked = request.query_params

        def page(chosen: Filter) -> object:
            offset, limit = _number(asked, "offset", 0), _number(asked, "limit", 50)
            return page_of_calls(self._mirror, chosen, order=asked.get("order", "newest"), offset=offset, limit=limit)

        return await self._answer(request, page)

    async def call(self, request: Request) -> Response:
        """One call."""
        answer = await self._answer(request, lambda _: call_by_id(self._ledger, request.path_params["id"]))
        return refusal(404, "there is no such call") if answer.body == b"null" else answer

    async def keys(self, request: Request) -> Response:
        """What can be filtered and grouped by."""

        def keys(_: Filter) -> object:
            self._mirror.follow()
            own = [META + key for key in self._mirror.metadata_keys]
            return {"keys": [*KEYS, *own], "left_out": self._mirror.keys_left_out, "change": self._ledger.change}

        return await self._answer(request, keys)

    async def values(self, request: Request) -> Response:
        """The values of one key."""
        key, part = request.query_params.get("key", ""), request.query_params.get("part", "")
        return await self._answer(request, lambda _: {"values": values_of(self._mirror, key, part=part)})

    async def report(self, request: Request) -> Response:
        """The rows of a report."""
        by, per = request.query_params.get("by", "model"), request.query_params.get("per")
        return await self._answer(request, lambda chosen: {"rows": mirror_rows(self._mirror, chosen, by=by, per=per)})

    async def change(self, request: Request) -> Response:
        """The number by which a page sees that there is something new; costs nothing."""
        return await self._answer(request, lambda _: {"change": self._ledger.change})

    async def export(self, request: Request) -> Response:
        """All calls as CSV."""
        if not self._doors.lets_read(request):
            return refusal(401, "the key is missing or not known")
        try:
            chosen = _filter_of(request)
        except QuestionError as error:
            return refusal(400, str(error))
        name = f"ai-spend-{datetime.now(UTC):%Y-%m-%d}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return StreamingResponse(csv_of(self._mirror, chosen), media_type="text/csv; charset=utf-8", headers=headers)

    async def session(self, request: Request) -> Response:
        """Let a browser in that shows the key."""
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_KEY_CHARACTERS:
                return refusal(413, "that is no key")
        session = self._doors.open_with(body.decode("utf-8", "replace"))
        return (
            refusal(401, "the key is not known")
            if session is None
            else _with_cookie(Response(status_code=204), session)
        )

    async def ticket(self, request: Request) -> Response:
        """Let a browser in that was started from the command line, once."""
        session = self._doors.open_with_ticket(request.path_params["ticket"])
        answer = RedirectResponse("/", status_code=303)
        return answer if session is None else _with_cookie(answer, session)

    async def _answer(self, request: Request, question: Callable[[Filter], object]) -> Response:
        if not self._doors.lets_read(request):
            return refusal(401, "the key is missing or not known")
        try:
            answer = await run_in_threadpool(lambda: question(_filter_of(request)))
        except (QuestionError, OverflowError) as error:
            return refusal(400, str(error))
        return AsciiJson(answer, headers={"Cache-Control": "no-store"})


def _filter_of(request: Request) -> Filter:
    return read_filter(request.query_params.multi_items(), now=datetime.now(UTC))


def _number(asked: Mapping[str, str], name: str, usual: int) -> int:
    text = asked.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise QuestionError(f"{name} is no number")
    return int(text)


def _with_cookie(answer: Response, session: str) -> Response:
    answer.set_cookie(COOKIE, session, httponly=True, samesite="strict")
    return answer
