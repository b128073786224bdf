"""The model provider: an httpx transport that answers from memory, in no time that could hide a difference."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

import httpx

from .answers import CHAT, MODELS, RESPONSE, VECTORS, chat_stream, embeddings_of

JSON_HEADERS: Final = {"content-type": "application/json", "x-request-id": "req_bench"}
STREAM_HEADERS: Final = {"content-type": "text/event-stream; charset=utf-8", "x-request-id": "req_bench"}


class Events(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that comes in pieces."""

    def __init__(self, pieces: list[bytes], number: bytes) -> None:
        self._pieces = pieces
        self._number = number

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            yield piece.replace(b"%s", self._number)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece.replace(b"%s", self._number)


def whole(body: object) -> Callable[[bytes], httpx.Response]:
    """Answers with a body in one piece; each has an id of its own."""
    packed = json.dumps(body).encode()
    return lambda number: httpx.Response(200, headers=JSON_HEADERS, content=packed.replace(b"%s", number, 1))


def streamed(chunks: int) -> Callable[[bytes], httpx.Response]:
    """Answers with a stream."""
    pieces = chat_stream(chunks)
    return lambda number: httpx.Response(200, headers=STREAM_HEADERS, stream=Events(pieces, number))


class Provider(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """
    Answers every request by the end of its path.

    Args:
        chunks: How many chunks a chat stream has; `None` if chats are not streamed.
        vectors: How many embeddings it answers.
    """

    def __init__(self, chunks: int | None = None, vectors: int = VECTORS) -> None:
        self._answers = {
            "completions": whole(CHAT) if chunks is None else streamed(chunks),
            "responses": whole(RESPONSE),
            "embeddings": whole(embeddings_of(vectors)),
            "models": whole(MODELS),
        }
        self._asked = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._asked += 1
        return self._answers[request.url.path.rpartition("/")[2]](b"%029d" % self._asked)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)
