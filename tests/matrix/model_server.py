"""
A model server that keeps books of its own: what it was asked, what it answered, and what it reported.

What it answers follows from the question alone, so that two runs of the same calls get the same, in whatever order
the requests arrive. The first part of a path says what it does: ``/whole/…`` answers, ``/held/…`` begins to answer
and waits, ``/refused/…`` answers 400, ``/busy/…`` answers 500 to the first attempt of a client that tries again.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ramp_tracing._loopback import Answer, LoopbackServer, Request, json_answer

from .answers import WIRES, Facts, Wire, batch

DIRECT: Final = "gpt-4o-mini"
"""The model of calls that an application makes itself, beside those of a stack."""

HOLD_SECONDS: Final = 60.0
"""How long an answer is held at most, should a test fail to let it go."""

HELD_PIECES: Final = 5
"""How much of a stream is there before it is held."""

TOKENS: Final[Mapping[str, tuple[int, int]]] = {
    "answer": (100, 20),
    "direct": (1000, 3),
    "tool": (2000, 7),
    "batch": (3000, 9),
    "embeddings": (4000, 0),
}
"""Input and output for question 0, by what is asked; every further question has one more of each."""


KINDS: Final = {"/batches": "batch", "/embeddings": "embeddings"}
"""End of a path → what is asked there, where it is no answer."""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """
    One billable request, as it stands in the server's books.

    Attributes:
        question: Its number.
        kind: ``answer``, ``direct``, ``tool`` (an agent's model asks for its tool) ``batch`` or ``embeddings``.
        id: The response id.
        tokens: Input and output.
        reported: Whether it said so.
        end: ``whole``, ``held`` or ``refused``.
    """

    question: int
    kind: str
    id: str
    tokens: tuple[int, int]
    reported: bool
    end: str


class ModelServer:
    """Speaks like OpenAI, like Anthropic, and a format of its own."""

    def __init__(self) -> None:
        self._server = LoopbackServer(self._answer)
        self._books: list[Exchange] = []
        self._gate = threading.Event()
        self._on_held: Callable[[], object] = lambda: None

    def __enter__(self) -> "ModelServer":
        self._server.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.let_go()
        self._server.close()

    def begin(self, on_held: Callable[[], object] = lambda: None) -> None:
        """Open new books. *on_held* is called on a thread of the server's when an answer has begun and waits."""
        self._books = []
        self.begin_to_hold(on_held)

    def begin_to_hold(self, on_held: Callable[[], object]) -> None:
        """Hold what is to be held again, after `let_go`."""
        self._gate, self._on_held = threading.Event(), on_held

    def let_go(self) -> None:
        """Finish the answers that wait."""
        self._gate.set()

    def url(self, conduct: str) -> str:
        """The address at which it behaves like this."""
        return f"{self._server.url}/{conduct}"

    @property
    def books(self) -> list[Exchange]:
        """Every billable request since `begin`, oldest first."""
        return list(self._books)

    def _answer(self, request: Request) -> Answer:
        if request.method == "GET":
            return json_answer(batch(_facts(int(request.path.rpartition("-")[2]), "batch", "gpt-4o"), ended=True))
        conduct = request.path.split("/")[1]
        if conduct == "busy" and request.headers.get("x-stainless-retry-count", "0") == "0":
            return json_answer({"error": {"message": "Busy."}}, status=500, headers={"retry-after-ms": "1"})
        body: Any = request.json
        wire = next(wire for path, wire in WIRES.items() if request.path.endswith(path))
        facts, kind = _read(request, body, wire)
        end = conduct if conduct in {"held", "refused"} and _is_last(kind) else "whole"
        streamed = body.get("stream") is True
        self._books.append(
            Exchange(
                question=facts.question,
                kind=kind,
                id=facts.id,
                tokens=facts.tokens,
                reported=end == "whole" and (facts.reports or not streamed),
                end=end,
            )
        )
        return self._given(wire, facts, end, streamed=streamed)

    def _given(self, wire: Wire, facts: Facts, end: str, *, streamed: bool) -> Answer:
        if end == "refused":
            error = {"message": "Not this question.", "type": "invalid_request_error", "code": "no"}
            return json_answer({"type": "error", "error": error}, status=400)
        kind = "text/event-stream" if streamed else "application/json"
        pieces = wire.pieces(facts) if streamed else [b" ", json.dumps(wire.whole(facts)).encode()]
        body = self._held(pieces, HELD_PIECES if streamed else 1) if end == "held" else pieces
        return Answer(headers={"Content-Type": kind}, body=body)

    def _held(self, pieces: list[bytes], count: int) -> Iterator[bytes]:
        gate, on_held = self._gate, self._on_held
        yield from pieces[:count]
        on_held()
        gate.wait(HOLD_SECONDS)
        yield from pieces[count:]


def _read(request: Request, body: Any, wire: Wire) -> tuple[Facts, str]:
    found = re.search(rb"question (\d+)", request.body)
    question = int(found[1]) if found else 0
    kind = next((kind for path, kind in KINDS.items() if request.path.endswith(path)), "answer")
    if body.get("model") == DIRECT:
        kind = "direct"
    if body.get("tools") and not _has_tool_answer(body):
        kind = "tool"
    asked = bool((body.get("stream_options") or {}).get("include_usage"))
    return _facts(question, kind, body.get("model", "gpt-4o"), reports=asked or wire.reports_always), kind


def _facts(question: int, kind: str, model: str, *, reports: bool = True) -> Facts:
    asked, answered = TOKENS[kind]
    return Facts(
        id=f"{'batch' if kind == 'batch' else f'chatcmpl-{kind}'}-{question}",
        question=question,
        model=model,
        tokens=(asked + question, answered + question),
        calls_tool=kind == "tool",
        reports=reports,
    )


def _has_tool_answer(body: Any) -> bool:
    return any(each["role"] == "tool" for each in body["messages"])


def _is_last(kind: str) -> bool:
    """An agent's run goes well until its model has seen what the tool found."""
    return kind == "answer"
