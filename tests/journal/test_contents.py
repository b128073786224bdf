"""What waits in memory for its line."""

import threading
from dataclasses import replace

from ramp_tracing._journal._contents import OVERHEAD_BYTES, Contents
from ramp_tracing._journal._line import RECORD_BYTES, Decoded, decode, encode
from ramp_tracing._journal._shelf import Shelf
from ramp_tracing._record import Failure, Generation

from .samples import full_generation, generation, with_metadata


def put(contents: Contents, record: Generation) -> Decoded:
    """Keep the rest of a record; its line, read back."""
    encoded = encode(record)
    if encoded.kept is not None:
        contents.put(encoded.key, encoded.kept)
    decoded = decode(encoded.line[:-1])
    assert decoded is not None
    return decoded


def joined(contents: Contents, line: Decoded) -> Generation:
    return contents.entry(line).generation


def test_a_record_is_put_together_again() -> None:
    """With content, message and metadata, as if it had never been apart."""
    contents = Contents()
    record = replace(full_generation(), attribution=with_metadata({"long": "x" * 4000, "team": "a"}).attribution)
    assert joined(contents, put(contents, record)) == record


def test_content_of_another_process_is_known_to_be_gone() -> None:
    """The usage is sent without it, and says so."""
    line = put(Contents(), generation(1, text="asked"))
    assert joined(Contents(), line) == replace(generation(1), content_lost=True)


def test_a_lost_message_or_lost_metadata_counts_as_well() -> None:
    """It was there, and it is gone."""
    failed = replace(generation(1), failure=Failure(type="E", message="said"))
    for record in (failed, with_metadata({"long": "x" * 4090})):
        assert joined(Contents(), put(Contents(), record)).content_lost


def test_in_privacy_mode_nothing_is_lost_because_nothing_was_there() -> None:
    """A record without content is complete."""
    assert joined(Contents(), put(Contents(), generation(1))) == generation(1)


def test_over_the_bound_the_oldest_content_goes() -> None:
    """Messages and metadata outlive it."""
    contents = Contents(2 * (100 + OVERHEAD_BYTES))
    failure = Failure(type="E", message="said")
    written = [put(contents, replace(generation(n, text="x" * 100), failure=failure)) for n in range(3)]
    records = [joined(contents, line) for line in written]
    assert [record.content is None for record in records] == [True, False, False]
    assert [record.content_lost for record in records] == [True, False, False]
    assert [record.failure for record in records] == [failure] * 3
    assert contents.dropped


def test_content_that_was_read_and_not_sent_goes_too() -> None:
    """Whoever holds it gives it up."""
    contents = Contents(100 + RECORD_BYTES + OVERHEAD_BYTES)
    line = put(contents, generation(1, text="x" * 100))
    entry = contents.entry(line)
    assert entry.generation.content is not None
    put(contents, generation(2, text="x" * 100))
    assert (entry.generation.content, entry.generation.content_lost) == (None, True)


def test_what_was_taken_makes_room() -> None:
    """However often."""
    contents = Contents(100 + RECORD_BYTES + OVERHEAD_BYTES)
    for number in range(50):
        line = put(contents, generation(number, text="x" * 100))
        assert joined(contents, line).content is not None
        contents.take(line.key)
    assert not contents.dropped


def test_a_shelf_keeps_its_bound_under_threads() -> None:
    """And knows at the end that it is empty."""
    dropped: list[int] = []
    shelf: Shelf[int] = Shelf(1000, lambda _key, number: dropped.append(number))

    def put_and_take(start: int) -> None:
        for number in range(start, start + 2000):
            shelf.put(number, number, size_bytes=100)
            if number % 2:
                shelf.take(number)

    threads = [threading.Thread(target=put_and_take, args=(number * 10_000,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(shelf) <= 10
    assert len(dropped) == len(set(dropped))
    for thread_number in range(4):
        for number in range(2000):
            shelf.take(thread_number * 10_000 + number)
    assert (len(shelf), shelf._size_bytes) == (0, 0)
