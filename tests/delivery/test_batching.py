import gzip
import hashlib
import json
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from ramp_tracing._config import Config
from ramp_tracing._delivery._batching import Batch, Batcher
from ramp_tracing._delivery._stages import Stages, export_settings
from ramp_tracing._export import EncodeError, Encoder, Prepared, SpanPublisher
from ramp_tracing._journal import MemoryJournal, Stats
from ramp_tracing._record import Generation
from ramp_tracing._state import state

from .records import config_for, generation, span_ids

URL = "http://127.0.0.1:9/"


class Picky(Encoder):
    """Refuses some records, and fails at others."""

    def prepare(self, generation: Generation) -> Prepared:
        if generation.id == "gen-1300":
            raise EncodeError("unlucky")
        if generation.id == "gen-666":
            raise ZeroDivisionError
        return super().prepare(generation)


class Listening(SpanPublisher):
    """Remembers what it was given."""

    def __init__(self, config: Config) -> None:
        super().__init__((), export_settings(config))
        self.published: list[str] = []

    def publish(self, prepared: Sequence[Prepared]) -> None:
        self.published += [each.spans[0].span_id for each in prepared]


def stages_for(config: Config) -> Stages:
    return Stages(price=lambda each: each, encoder=Picky(export_settings(config)), publisher=Listening(config))


def batcher_of(*generations: Generation, **options: object) -> tuple[Batcher, MemoryJournal]:
    journal = MemoryJournal()
    for each in generations:
        journal.append(each)
    config = config_for(URL, **options)
    return Batcher(journal, stages_for(config), config), journal


def all_of(batcher: Batcher) -> list[Batch]:
    batches = []
    while (batch := batcher.next()) is not None:
        batches.append(batch)
    return batches


def ids(batch: Batch) -> list[str]:
    return [item.prepared.spans[0].span_id for item in batch.items]


def test_batches_hold_as_many_records_as_they_may() -> None:
    """The oldest first."""
    batcher, _ = batcher_of(*map(generation, range(7)), max_batch_spans=3)
    assert list(map(ids, all_of(batcher))) == [span_ids(0, 1, 2), span_ids(3, 4, 5), span_ids(6)]


@pytest.mark.parametrize("protocol", ["http/json", "http/protobuf"])
def test_batches_are_no_longer_than_they_may_be(protocol: str) -> None:
    """The whole body counts; a record that is longer goes alone."""
    texts = ["a" * 300, "b" * 20_000, *("c" * 200 for _ in range(20)), "d" * 20_000, "e"]
    records = [generation(number, text=text) for number, text in enumerate(texts)]
    batcher, _ = batcher_of(*records, max_batch_bytes=8192, protocol=protocol)
    batches = all_of(batcher)
    assert [each for batch in batches for each in ids(batch)] == span_ids(*range(len(texts)))
    assert all(len(batch.body) <= 8192 for batch in batches if len(batch.items) > 1)
    assert [ids(batch) for batch in batches if len(batch.body) > 8192] == [span_ids(1), span_ids(22)]
    assert max(len(batch.items) for batch in batches) > 2


def test_other_threads_have_their_turns_while_a_batch_is_put_together() -> None:
    """Also where nobody takes the GIL from the one who has it."""
    records = list(map(generation, range(2_000, 5_000)))
    config = config_for(URL, max_batch_spans=len(records), max_batch_bytes=8 << 20)
    journal, done = MemoryJournal(), 0

    def price(each: Generation) -> Generation:
        nonlocal done
        done += 1
        return each

    for each in records:
        journal.append(each)
    batcher = Batcher(journal, replace(stages_for(config), price=price), config)
    seen, ended, interval = set[int](), False, sys.getswitchinterval()

    def take_turns() -> None:
        while not ended:
            seen.add(done)
            time.sleep(0)

    beside = threading.Thread(target=take_turns)
    beside.start()
    try:
        sys.setswitchinterval(60)
        batch = batcher.next()
    finally:
        sys.setswitchinterval(interval)
        ended = True
        beside.join()
    assert batch is not None
    assert len(records) == len(batch.items)
    assert len(seen) > 5  # the beginning and the end are seen in any case


def test_the_key_follows_from_the_bytes() -> None:
    """Same bytes, same key, also in another process; other bytes, another key."""
    (first,), (again,), (other,) = (all_of(batcher_of(generation(number))[0]) for number in (1, 1, 2))
    assert (first.body, first.key) == (again.body, again.key)
    assert first.key == hashlib.sha256(first.body).hexdigest()[:32]
    assert first.key != other.key


def test_compression_is_the_same_each_time() -> None:
    """And does not change the key."""
    (plain,) = all_of(batcher_of(generation(1))[0])
    (packed,), (again,) = (all_of(batcher_of(generation(1), compression="gzip")[0]) for _ in range(2))
    assert packed.body == again.body
    assert (gzip.decompress(packed.body), packed.key) == (plain.body, plain.key)


def test_a_record_that_cannot_be_encoded_is_dead_and_no_other() -> None:
    """Also where the encoder has a fault that nobody thought of."""
    state.strict = False
    batcher, journal = batcher_of(*map(generation, (1, 1300, 2, 666, 3)))
    (batch,) = all_of(batcher)
    assert ids(batch) == span_ids(1, 2, 3)
    assert journal.counts() == Stats(recorded=5, waiting=3, dead=2)
    assert [letter.generation.id for letter in journal.dead_letters] == ["gen-1300", "gen-666"]


class Faltering(Encoder):
    """Has not enough memory, the first time."""

    failed = False

    def body(self, prepared: Sequence[Prepared]) -> bytes:
        if prepared and not self.failed:
            self.failed = True
            raise MemoryError
        return super().body(prepared)


def test_records_whose_batch_could_not_be_put_together_are_not_forgotten() -> None:
    """They are in the next one, in their order."""
    journal, config = MemoryJournal(), config_for(URL, max_batch_spans=3)
    for number in range(5):
        journal.append(generation(number))
    settings = export_settings(config)
    stages = Stages(price=lambda each: each, encoder=Faltering(settings), publisher=SpanPublisher((), settings))
    batcher = Batcher(journal, stages, config)
    with pytest.raises(MemoryError):
        batcher.next()
    assert list(map(ids, all_of(batcher))) == [span_ids(0, 1, 2), span_ids(3, 4)]


def test_halves_and_singles_are_the_same_records_in_the_same_order() -> None:
    """And nothing is published twice."""
    batcher, _ = batcher_of(*map(generation, range(5)))
    (batch,) = all_of(batcher)
    assert list(map(ids, batcher.halves(batch))) == [span_ids(0, 1), span_ids(2, 3, 4)]
    assert list(map(ids, batcher.singles(batch))) == [[each] for each in span_ids(0, 1, 2, 3, 4)]
    publisher = batcher._stages.publisher
    assert isinstance(publisher, Listening)
    assert publisher.published == span_ids(0, 1, 2, 3, 4)


def test_content_that_the_journal_let_go_of_is_still_in_the_bytes() -> None:
    """Halves are encoded from what was prepared."""
    batcher, _ = batcher_of(generation(1, text="first prompt"), generation(2, text="second prompt"))
    (batch,) = all_of(batcher)
    assert [entry.generation.content for entry in batch.entries] == [None, None]
    assert b"second prompt" in batcher.halves(batch)[1].body


def test_without_content_the_usage_is_left() -> None:
    """Once; where there is nothing to leave out there is nothing to send again."""
    batcher, _ = batcher_of(generation(1, text="a long prompt"))
    (batch,) = all_of(batcher)
    smaller = batcher.without_content(batch)
    assert smaller is not None
    assert (b"a long prompt" in batch.body, b"a long prompt" in smaller.body) == (True, False)
    assert ids(smaller) == ids(batch)
    assert b"gen_ai.usage.output_tokens" in smaller.body
    assert smaller.key != batch.key
    assert batcher.without_content(smaller) is None


def test_a_record_that_has_no_content_cannot_lose_it() -> None:
    """The same bytes would be refused again."""
    batcher, _ = batcher_of(generation(1))
    (batch,) = all_of(batcher)
    assert batcher.without_content(batch) is None


def test_records_are_priced_on_their_way() -> None:
    """By whatever prices them."""
    config = config_for(URL)
    journal = MemoryJournal()
    journal.append(generation(1))
    settings = export_settings(config)

    def renamed(each: Generation) -> Generation:
        return generation(int(each.id.removeprefix("gen-")) + 1)

    stages = Stages(price=renamed, encoder=Encoder(settings), publisher=SpanPublisher((), settings))
    batch = Batcher(journal, stages, config).next()
    assert batch is not None
    assert json.loads(batch.body)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["spanId"] == span_ids(2)[0]
