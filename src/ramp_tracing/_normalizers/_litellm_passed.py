"""
What the LiteLLM proxy has passed through: https://docs.litellm.ai/docs/proxy/pass_through

Of endpoints that it knows LiteLLM tells as of any call. Of the others (embeddings, an address that the proxy's owner
has configured) it hands on request and answer as they are, with no usage and a cost of 0.
"""

from ast import literal_eval
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from .._record import Outcome
from ._json import parse
from ._litellm_names import KINDS, Kind, Told
from ._reading import as_fields, as_items, as_name, dig

PASSED: Final = frozenset({"pass_through_endpoint", "allm_passthrough_route", "llm_passthrough_route"})

NOBODY: Final = "unknown"
"""The user, and the model, that LiteLLM names where it knows of none."""

BY_PATH: Final[tuple[tuple[str, Kind], ...]] = (
    ("/chat/completions", KINDS["completion"]),
    ("/completions", KINDS["text_completion"]),
    ("/embeddings", KINDS["embedding"]),
    ("/images/generations", KINDS["image_generation"]),
    ("/images/edits", KINDS["image_edit"]),
    ("/responses", KINDS["responses"]),
    ("/rerank", KINDS["rerank"]),
)
"""How paths end that are known by that, the first that fits; others are read as chats."""

CHUNKS: Final = "Chunks="
"""After this LiteLLM shows the lines of a stream that it cannot read, as Python writes a list."""

MAX_STREAM: Final = 100_000
"""Characters, the last ones, in which the usage is: this is read on the proxy's event loop, two milliseconds of it."""

NEXT: Final = ", 'data:"
"""Between two lines. Within one an apostrophe is escaped, because a line of JSON has quotation marks."""

DATA: Final = "data:"


class Passed(NamedTuple):
    """
    A call that was passed through.

    Attributes:
        kind: What kind of call it is, by its path.
        url: Where it went.
        asked: The body of the request.
        outcome: What was answered.
    """

    kind: Kind
    url: str | None
    asked: Mapping[str, object]
    outcome: Outcome


def passed_through(told: Told, answer: object) -> Passed | None:
    """
    What was passed through, as it is.

    Args:
        told: The call.
        answer: The ``response_obj`` of the callback.

    Returns:
        `None` of anything else, and where LiteLLM has read the answer itself.
    """
    text = dig(answer, "response") if told.name in PASSED else None
    if not isinstance(text, str):
        return None
    said = as_fields(told.call.get("passthrough_logging_payload"))
    url = as_name(said.get("url"))
    path = urlsplit(url or "").path
    kind = next((kind for end, kind in BY_PATH if path.endswith(end)), told.kind)
    return Passed(kind, url, as_fields(said.get("request_body")), _outcome(kind, said.get("response_body"), text))


def _outcome(kind: Kind, body: object, text: str) -> Outcome:
    if CHUNKS not in text[:200]:
        return kind.format.read(as_fields(body) or parse(text.encode(errors="replace")))
    events = kind.format.accumulator(1, False)
    for line in _lines(text):
        if isinstance(line, str) and line.startswith(DATA):
            event = parse(line.removeprefix(DATA).strip().encode(errors="replace"))
            if isinstance(event, Mapping):
                events.add(event)  # pyright: ignore[reportUnknownArgumentType]
    return events.outcome()


def _lines(text: str) -> Iterable[object]:
    shown = text.partition(CHUNKS)[2]
    if len(shown) > MAX_STREAM:
        shown = f"['data:{shown[-MAX_STREAM:].partition(NEXT)[2]}"
    try:
        return as_items(literal_eval(shown))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ()
