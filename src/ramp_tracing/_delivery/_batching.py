"""From records that wait to the bytes of one request, which stay as they are."""

import hashlib
import logging
import time
from collections import deque
from collections.abc import Sequence
from functools import cached_property
from typing import Final

from .._config import Config
from .._dataclass import dataclass
from .._export import EncodeError, Prepared
from .._guard import guarded, log
from .._journal import Entry, Journal
from ._request import compressed
from ._selection import Selection
from ._stages import Stages

MAX_READS: Final = 20
"""Reads in a row that may bring nothing to send, until the deadline is looked at again. With fewer, sampling would make
small requests."""


TURN_SECONDS: Final = 0.002
"""As long as nobody will notice."""

WAY_SECONDS: Final = 0.00005
"""A thread that waits for the GIL needs so long to wake up; when that is not given it finds it taken again."""


class Item:
    """
    One record of a batch.

    Args:
        entry: Where it stands in the journal.
        prepared: Its bytes. They hold the content, which the entry no longer does.
        bare: True if the content was left out because the receiver finds the record too large with it.
    """

    __slots__ = ("bare", "entry", "prepared")

    def __init__(self, entry: Entry, prepared: Prepared, *, bare: bool = False) -> None:
        self.entry = entry
        self.prepared = prepared
        self.bare = bare


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """
    One request's worth of records.

    Attributes:
        items: The records.
        body: What is sent, each time the same.
        key: The ``Idempotency-Key``. It follows from the body before compression: same bytes, same key; other bytes,
            another key.
    """

    items: tuple[Item, ...]
    body: bytes
    key: str

    @property
    def entries(self) -> Sequence[Entry]:
        """The records' places in the journal."""
        return [item.entry for item in self.items]


class Batcher:
    """
    Puts batches together. Used by one thread at a time.

    Args:
        journal: Where the records are.
        stages: What they go through.
        config: The bounds of a batch, and its compression.
    """

    def __init__(self, journal: Journal, stages: Stages, config: Config) -> None:
        self._journal = journal
        self._stages = stages
        self._config = config
        self._selection = Selection(config, stages.price)
        self._has_left_out = False
        self._entries: deque[Entry] = deque()
        self._left_over: deque[Item] = deque()
        self._gave_way = 0.0

    def warm_up(self) -> None:
        """Take the first record through the stages already, which imports what they had put off."""
        self._stages.publisher.publish([])
        if (item := self._next_item()) is not None:
            self._left_over.appendleft(item)

    def next(self) -> Batch | None:
        """The oldest records, as many as fit in a request; `None` if there are none."""
        items: list[Item] = []
        size_bytes = self._envelope_bytes
        while len(items) < self._config.max_batch_spans and (item := self._next_item()) is not None:
            size_bytes += item.prepared.size_bytes + len(b",")
            apart = bool(items) and item.entry.batch is not items[0].entry.batch
            if apart or (items and size_bytes > self._config.max_batch_bytes):
                self._left_over.appendleft(item)
                break
            items.append(item)
            self._give_way()
        if not items:
            return None
        try:
            batch = self._frozen(items)
        except BaseException:
            # Out of memory, perhaps. Another time they may go.
            self._left_over.extendleft(reversed(items))
            raise
        self._stages.publisher.publish([item.prepared for item in items])
        self._journal.freeze(batch.entries)
        return batch

    def _give_way(self) -> None:
        """
        Let other threads run, if they could not for a while.

        A thread of the application's that wants the GIL would otherwise get it after five milliseconds
        (`sys.getswitchinterval`), at each of its turns, for as long as records are put together.
        """
        if time.perf_counter() - self._gave_way >= TURN_SECONDS:
            time.sleep(WAY_SECONDS)
            self._gave_way = time.perf_counter()

    def has_left_out(self) -> bool:
        """Whether records were settled without being sent since this was last asked."""
        left_out, self._has_left_out = self._has_left_out, False
        return left_out

    def halves(self, batch: Batch) -> Sequence[Batch]:
        """Two batches in place of *batch*, of more than one record."""
        middle = len(batch.items) // 2
        return [self._frozen(batch.items[:middle]), self._frozen(batch.items[middle:])]

    def singles(self, batch: Batch) -> Sequence[Batch]:
        """A batch for each record of *batch*."""
        return [self._frozen([item]) for item in batch.items]

    def without_content(self, batch: Batch) -> Batch | None:
        """*batch*, of one record, with its usage only; `None` if there is no less to send."""
        item = batch.items[0]
        prepared = None if item.bare else self._prepared(item.entry)
        if prepared is None or prepared.size_bytes >= item.prepared.size_bytes:
            return None
        return self._frozen([Item(item.entry, prepared, bare=True)])

    def _next_item(self) -> Item | None:
        """The next record that can be encoded; those that cannot are buried on the way."""
        if self._left_over:
            return self._left_over.popleft()
        while (entry := self._next_entry()) is not None:
            prepared = self._prepared(entry)
            if prepared is not None:
                return Item(entry, prepared)
            self._journal.bury(entry, "it cannot be encoded")
            log.once_a_minute(logging.ERROR, "unencodable record", "a record was set aside: it cannot be encoded")
        return None

    def _next_entry(self) -> Entry | None:
        for _ in range(MAX_READS):
            if self._entries or not (read := self._journal.read(self._config.max_batch_spans)):
                break
            self._entries.extend(self._wanted(read))
        return self._entries.popleft() if self._entries else None

    def _wanted(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Those of *entries* that the user wants sent; the others are settled, all at once: each takes a write."""
        wanted = [each for each in entries if self._wants(each)] if self._selection.leaves_out else entries
        if len(wanted) < len(entries):
            kept = set(wanted)
            self._journal.leave_out([each for each in entries if each not in kept])
            self._has_left_out = True
        if self._selection.trims:
            for each in wanted:
                with guarded("sampling content"):
                    each.generation = self._selection.trimmed(each.generation)
        return wanted

    def _wants(self, entry: Entry) -> bool:
        """Whether *entry* is to be sent: yes, if that cannot be found out."""
        wants = True
        with guarded("choosing what is sent"):
            wants = self._selection.wants(entry.generation)
        return wants

    def _prepared(self, entry: Entry) -> Prepared | None:
        """The record, priced and encoded; `None` if that is impossible, whatever the reason: others are waiting."""
        try:
            return self._stages.encoder.prepare(self._stages.price(entry.generation))
        except EncodeError:
            return None
        except BaseException:  # entering the block for each record takes 3,900 instructions
            with guarded("encoding a record"):
                raise
        return None

    def _frozen(self, items: Sequence[Item]) -> Batch:
        body = self._stages.encoder.body([item.prepared for item in items])
        key = hashlib.sha256(body).hexdigest()[:32]
        return Batch(items=tuple(items), body=compressed(body, self._config), key=key)

    @cached_property
    def _envelope_bytes(self) -> int:
        return len(self._stages.encoder.body([]))
