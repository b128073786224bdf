"""The idempotency key of a call."""

import os
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from ramp_tracing._identity import MAX_SEEN, SeenIds, fresh_id, generation_id

LONG = "chatcmpl-B1xYq0sW7gkT2"


def test_a_providers_id_is_the_key() -> None:
    """The first answer with an id is known by that id."""
    assert generation_id(LONG, SeenIds()) == LONG


def test_a_replayed_id_gets_a_fresh_key() -> None:
    """A cache or a mock repeats an id; Ramp would replace the first call by the second."""
    seen = SeenIds()
    keys = {generation_id(LONG, seen) for _ in range(3)}
    assert len(keys) == 3
    assert LONG in keys


@pytest.mark.parametrize("weak", [None, "", "stub", "chatcmpl-674", "1", "id-1767213408428"])
def test_an_id_that_others_meet_too_is_no_key(weak: str | None) -> None:
    """Ollama counts to a thousand, Cloudflare tells the time: two machines would overwrite each other's calls."""
    assert generation_id(weak, SeenIds()).startswith("ramp-")


def test_old_ids_are_forgotten_in_the_order_they_came() -> None:
    """What is kept is bounded; the recent ids stay."""
    seen = SeenIds()
    ids = [f"chatcmpl-{number:08d}" for number in range(3 * MAX_SEEN)]
    assert all(seen.take(each) for each in ids)
    assert not seen.take(ids[-1])
    assert not seen.take(ids[-MAX_SEEN])
    assert seen.take(ids[0])


def test_one_of_many_threads_gets_an_id() -> None:
    """Two calls that end at the same moment with the same id are two records."""
    seen = SeenIds()
    with ThreadPoolExecutor(16) as pool:
        taken = list(pool.map(lambda _: seen.take(LONG), range(200)))
    assert taken.count(True) == 1


def test_a_forked_child_makes_other_ids() -> None:
    """Also if nobody tells us of the fork: parent and child go on from the same state."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, fresh_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 100).decode() != fresh_id()
    os.close(reader)
    os.close(writer)


def test_children_with_the_same_process_id_make_other_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that forks for each task meets every process id again, after 32,768 of them on a small machine."""
    monkeypatch.setattr(os, "getpid", lambda: 4242)
    made: list[bytes] = []
    for _ in range(2):
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.write(writer, fresh_id().encode())
            os._exit(0)
        os.waitpid(child, 0)
        made.append(os.read(reader, 100))
        os.close(reader)
        os.close(writer)
    assert made[0] != made[1]


def test_ids_do_not_depend_on_the_applications_seed() -> None:
    """Whoever seeds the shared generator for an experiment gets it twice, and we two ids."""
    random.seed(7)
    first = fresh_id()
    random.seed(7)
    assert first != fresh_id()
