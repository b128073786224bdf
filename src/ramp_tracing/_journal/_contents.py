"""The parts of records that wait in memory for the rest to be read back from the disk."""

from math import isfinite
from operator import attrgetter
from typing import Any, Final

from .._record import NO_METADATA, NOBODY, Attribution, Content, Generation, Recorded, Unread, changed
from ._fields import MAX_METADATA_KEYS, USAGE, is_written_as_it_is
from ._journal import Entry
from ._line import Decoded, Kept, Key, Whole
from ._shelf import Shelf

MAX_CONTENT_BYTES: Final = 32 << 20
"""Enough for the content of an hour in most applications; the usage, which matters more, is on disk."""

MAX_EXTRA_BYTES: Final = 8 << 20
"""Messages of failures and long metadata, which should outlive the content of the calls."""

OVERHEAD_BYTES: Final = 500
"""What an object costs beside its texts: without it a million empty ones would count as nothing."""


NOTHING: Final = Kept()


class Contents:
    """
    What is kept of records whose lines are on disk. Every method may be called by any thread.

    Args:
        max_bytes: Of content; the oldest goes first.
    """

    def __init__(self, max_bytes: int = MAX_CONTENT_BYTES) -> None:
        self._contents: Shelf[Content | Whole | Unread] = Shelf(max_bytes, self._drop)
        self._entries: dict[Key, Entry] = {}  # of those that have been read
        self._extras: Shelf[Kept] = Shelf(MAX_EXTRA_BYTES, self._note)
        self.dropped = False
        """Whether anything had to go since somebody looked."""

    def put(self, key: Key, kept: Kept | Whole | Unread) -> None:
        """Keep the rest of a record, or one that is to be read."""
        if type(kept) is not Kept:
            self._contents.put(key, kept, size_bytes=kept.size_bytes + OVERHEAD_BYTES)
            return
        if kept.content is not None:
            self._contents.put(key, kept.content, size_bytes=kept.content.size_bytes + OVERHEAD_BYTES)
        if kept.message is not None or kept.metadata is not None:
            extra = kept._replace(content=None)
            self._extras.put(key, extra, size_bytes=extra.size_bytes + OVERHEAD_BYTES)

    def entry(self, record: Decoded, *, place: object = None, batch: object = None) -> Entry:
        """An entry with all there is of a record, from its line and what is kept; what is gone is said to be."""
        content = self._contents.get(record.key) if record.in_memory else None
        entry = Entry(self._joined(record, content), place=place, batch=batch)
        if content is not None:
            self._entries[record.key] = entry
            if self._contents.get(record.key) is None:  # it had to go just now, when nobody had the entry yet
                self._drop(record.key, content)
        return entry

    def _joined(self, record: Decoded, content: Content | Whole | Unread | None) -> Recorded:
        if not record.in_memory:
            return record.generation
        kept = self._extras.get(record.key) or NOTHING
        if content is not None:
            if isinstance(content, Whole):
                whole = content.generation
                return whole if is_plain(whole) else changed(record.generation, content=whole.content)
            if not isinstance(content, Content):
                return content
            kept = Kept(content, kept.message, kept.metadata)
        joined = kept.joined(record.generation)
        return changed(joined, content_lost=True) if record.in_memory - kept.parts else joined

    def take(self, *keys: Key) -> None:
        """Keep nothing of some records any longer."""
        for shelf in (self._contents, self._extras):
            if shelf:
                for key in keys:
                    shelf.take(key)
        for key in keys:
            self._entries.pop(key, None)

    def _drop(self, key: Key, _content: Content | Whole | Unread) -> None:
        self.dropped = True
        entry = self._entries.pop(key, None)
        if entry is not None:
            entry.generation = entry.generation.without_content()

    def _note(self, _key: Key, _extra: Kept) -> None:
        self.dropped = True


_texts_of: Final = attrgetter(
    "id", "operation", "library", "provider", "upstream_provider", "server_address", "server_port", "request_model",
    "response_model", "response_id", "native_finish_reason", "service_tier", "inference_geo", "retries", "role",
    "api_key_hash", "timing.started", "timing.ended", "timing.first_chunk",
)  # fmt: skip
_names_of: Final = attrgetter(
    "user", "session_id", "trace_id", "trace_name", "span_name", "generation_name", "parent_span_id"
)
_counts_of: Final = attrgetter(*USAGE.counts)

TEXTS: Final = frozenset({str})
TEXTS_AND_INTEGERS: Final = frozenset({str, int, type(None)})
COUNTS: Final = frozenset({int, type(None)})
NUMBERS: Final = frozenset({int, float})


def is_plain(generation: Generation) -> bool:
    """
    Whether what is read back from the line of *generation* is the same.

    An enumeration's member is a text there, a long amount is rounded, and metadata may be anything; whoever has one of
    these reads the line. What it holds is its own: nobody changes it meanwhile.
    """
    usage, attribution = generation.usage, generation.attribution
    if generation.cost is not None or generation.failure is not None or not _has_plain_metadata(attribution):
        return False
    if usage.audio_seconds is not None or usage.video_seconds is not None:
        return False
    return (
        TEXTS_AND_INTEGERS.issuperset({*map(type, _texts_of(generation))})
        and COUNTS.issuperset({*map(type, _counts_of(usage)), *map(type, usage.hosted_tool_calls.values())})
        and NUMBERS.issuperset({*map(type, generation.parameters.values())})
        and all(map(isfinite, generation.parameters.values()))
        and TEXTS.issuperset({*map(type, generation.finish_reasons), *map(type, generation.span_parent or ())})
        and (attribution is NOBODY or TEXTS_AND_INTEGERS.issuperset({*map(type, _names_of(attribution))}))
    )


def _has_plain_metadata(attribution: Attribution) -> bool:
    metadata: Any = attribution.metadata
    if metadata is NO_METADATA:
        return True
    kind = type(metadata)  # pyright: ignore[reportUnknownVariableType]
    if kind is not dict or len(metadata) > MAX_METADATA_KEYS or not TEXTS.issuperset({*map(type, metadata)}):
        return False
    return all(map(is_written_as_it_is, metadata.values()))
