"""From generations to the bytes of one request."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from typing import Final, Protocol

from .._dataclass import dataclass
from .._guard import guarded, log
from .._record import Drafts, Generation
from ._otlp_json import JsonEncoding
from ._settings import ExportSettings, WireProtocol
from ._span import Span
from ._spans import merge, spans_of

UNENCODABLE: Final = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a record that is not what its types say could cause."""


class EncodeError(Exception):
    """A generation that cannot be sent, as its text says; without anything of its content."""


class Encoding(Protocol):
    """One way of turning spans into bytes."""

    def encode(self, span: Span) -> bytes:
        """One span by itself."""
        ...

    def join(self, spans: Sequence[bytes]) -> bytes:
        """One ``ExportTraceServiceRequest`` with the encoded *spans*."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """
    A generation, ready to be sent.

    Attributes:
        spans: Its own span first, then the levels above it from the innermost to the root.
        published: The same for the user's own exporters, in the dialect that these want; empty where there are none.
        encoded: The bytes of its own span.
        size_bytes: What it adds to a request, at most: levels that it shares with others are sent once.
        id: That of the generation.
    """

    spans: tuple[Span, ...]
    encoded: bytes = field(repr=False)
    size_bytes: int
    published: tuple[Span, ...] = ()
    id: str = ""


PREPARED: Final = Drafts(Prepared)


class RequestEncoder(Protocol):
    """Turns generations into the bodies of requests. Used by one thread at a time."""

    @property
    def content_type(self) -> str:
        """The ``Content-Type`` of every body."""
        ...

    def prepare(self, generation: Generation) -> Prepared:
        """
        Encode one generation.

        Raises:
            EncodeError: It cannot be encoded.
        """
        ...

    def body(self, prepared: Sequence[Prepared]) -> bytes:
        """One request. The same generations in the same order give the same bytes."""
        ...


class Encoder:
    """
    Turns generations into OTLP requests; its one thread does not mind the import of protobuf at first use.

    Args:
        settings: What the export was told.
    """

    def __init__(self, settings: ExportSettings) -> None:
        self._settings = settings

    @property
    def content_type(self) -> str:
        """The ``Content-Type`` of every body."""
        return CONTENT_TYPES[self._settings.protocol]

    def prepare(self, generation: Generation) -> Prepared:
        """
        Encode one generation.

        A record whose content cannot be encoded is sent without: what was spent counts more.

        Raises:
            EncodeError: Not even the rest can be encoded. Readers are total, so this is a fault of ours.
        """
        return prepared_by(self._prepared, generation)

    def body(self, prepared: Sequence[Prepared]) -> bytes:
        """One ``ExportTraceServiceRequest``. The same generations in the same order give the same bytes."""
        return self._encoding.join(list(self._pieces(prepared)))

    def _prepared(self, generation: Generation) -> Prepared:
        spans = spans_of(generation, self._settings)
        encoded = self._encoding.encode(spans[0])
        prepared = PREPARED.begin()
        prepared.spans, prepared.encoded = spans, encoded
        prepared.size_bytes = len(encoded) + sum(len(self._encoding.encode(span)) for span in spans[1:])
        if self._settings.published_dialect is not None:
            prepared.published = published_spans(generation, self._settings, sent=spans)
        return PREPARED.end(prepared)

    def _pieces(self, prepared: Sequence[Prepared]) -> Iterator[bytes]:
        """Every id once: generations as they were encoded, then the levels that they share."""
        ready = {each.spans[0].span_id: each.encoded for each in prepared}
        yield from ready.values()
        for level in merge(span for each in prepared for span in each.spans[1:]):
            yield self._encoding.encode(level)

    @cached_property
    def _encoding(self) -> Encoding:
        return ENCODINGS[self._settings.protocol](self._settings)


def published_spans(generation: Generation, settings: ExportSettings, *, sent: tuple[Span, ...]) -> tuple[Span, ...]:
    """
    What the user's own exporters get of *generation*; nothing if that fails, because Ramp is not to feel it.

    Args:
        generation: The call.
        settings: What the export was told.
        sent: Its spans in the dialect that is sent; the same ones serve, if that is what the exporters want.
    """
    dialect = settings.published_dialect
    if dialect is None or (sent and dialect == settings.dialect):
        return () if dialect is None else sent
    spans: tuple[Span, ...] = ()
    with guarded("making spans for the application's span exporters"):
        spans = spans_of(generation, replace(settings, dialect=dialect))
    return spans


def prepared_by(prepare: Callable[[Generation], Prepared], generation: Generation) -> Prepared:
    """
    What *prepare* makes of *generation*, or else of what it is without its content.

    Raises:
        EncodeError: Neither can be encoded.
    """
    try:
        return prepare(generation)
    except UNENCODABLE:
        log.once_a_minute(logging.WARNING, "unencodable content", "a call was sent without its content")
    try:
        return prepare(generation.without_content())
    except UNENCODABLE as error:
        raise EncodeError(f"The record cannot be encoded ({type(error).__name__})") from None


def _protobuf(settings: ExportSettings) -> Encoding:
    from ._otlp_protobuf import ProtobufEncoding  # protobuf is loaded by who sends it, on the thread that sends

    return ProtobufEncoding(settings)


ENCODINGS: Final[Mapping[WireProtocol, Callable[[ExportSettings], Encoding]]] = {
    "http/json": JsonEncoding,
    "http/protobuf": _protobuf,
}

CONTENT_TYPES: Final[Mapping[WireProtocol, str]] = {
    "http/json": "application/json",
    "http/protobuf": "application/x-protobuf",
}
