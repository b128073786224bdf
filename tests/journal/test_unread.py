"""Records whose answer nobody has read yet: on disk, in memory, and after their process."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ramp_tracing._context import Block
from ramp_tracing._journal import MemoryJournal
from ramp_tracing._journal._journal import SMALL_BYTES
from ramp_tracing._journal._line import MAX_LINE_BYTES, decode, encode
from ramp_tracing._normalizers import CHAT
from ramp_tracing._record import Attribution, Cost, Generation
from ramp_tracing._recorder import Unanswered
from ramp_tracing._state import state
from ramp_tracing.integrations._asking import Asking, Origin
from ramp_tracing.integrations.openai import ROUTES

from .samples import journal_in

SECRET: Final = "canary"
REQUEST: Final[dict[str, Any]] = {"model": "gpt-4o", "messages": [{"role": "user", "content": SECRET}], "seed": 7}
ORIGIN: Final = Origin("openai", "openai", host="api.openai.com", port=443)


class Options:
    """What a generated client keeps of a request."""

    method, url, extra_json = "post", "/chat/completions", None

    def __init__(self, body: dict[str, Any]) -> None:
        self.json_data = body


def answer(number: int = 1, **more: Any) -> bytes:
    """A chat completion."""
    return json.dumps({
        "id": f"chatcmpl-0123456789abcdef{number}",
        "object": "chat.completion",
        "created": 1767225600,
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": SECRET}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": number, "completion_tokens": 2, "total_tokens": number + 2},
        **more,
    }).encode()  # fmt: skip


def unread(body: bytes, request: dict[str, Any] = REQUEST) -> Unanswered:
    """A call that has just been answered."""
    route = ROUTES.match("post", "/chat/completions")
    assert route is not None
    made = Asking()
    made.note(object(), Options(request), route=route, origin=ORIGIN)
    made.is_answered(CHAT, body, sent=json.dumps(request).encode(), retries=1, cost=None)
    return made


def bare(generation: Generation) -> Generation:
    """What a line holds of a record of which the answer was not read."""
    return replace(generation, content=None, content_lost=True, finish_reasons=(), parameters={})


@pytest.fixture(autouse=True)
def nothing_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids of other tests are not those of these."""
    monkeypatch.setattr(state, "seen", type(state.seen)())


def test_its_line_says_what_the_whole_says() -> None:
    """Without content, and without how it ended."""
    record = unread(answer())
    line = encode(record).line
    decoded = decode(line[:-1])
    assert decoded is not None
    assert replace(decoded.generation, content_lost=True) == bare(record.whole())
    assert SECRET.encode() not in line
    assert len(line) <= MAX_LINE_BYTES


TEXT = st.one_of(st.none(), st.text(max_size=2_000))


@given(
    st.builds(
        Attribution,
        user=TEXT,
        trace_name=TEXT,
        metadata=st.dictionaries(st.text(max_size=20), st.one_of(st.text(max_size=300), st.integers()), max_size=5),
    ),
    TEXT,
    st.one_of(st.none(), st.decimals("0", "9", places=4)),
)
def test_it_does_so_whoever_the_call_is_for(block: Attribution, model: str | None, cost: Decimal | None) -> None:
    """Also where the line would be too long, or holds what JSON cannot: then the answer is read at once."""
    state.seen = type(state.seen)()
    with Block(block):
        record = unread(answer(), {**REQUEST, "model": model})
    record.gateway_cost = None if cost is None else Cost(total=cost, source="gateway")
    encoded = encode(record)
    decoded = decode(encoded.line[:-1])
    assert decoded is not None
    assert len(encoded.line) <= MAX_LINE_BYTES
    read, whole = decoded.generation, record.whole()
    assert (read.id, read.usage, read.timing, read.cost) == (whole.id, whole.usage, whole.timing, whole.cost)
    if "answer" in json.loads(encoded.line[12:]):
        assert replace(read, content_lost=True) == bare(whole)


def journals(state_dir: Path) -> list[Any]:
    """One of each kind."""
    return [journal_in(state_dir), MemoryJournal()]


def test_what_is_read_back_is_whole(tmp_path: Path) -> None:
    """With content, finish reasons and parameters, in the order in which it came."""
    for journal in journals(tmp_path):
        state.seen = type(state.seen)()
        for number in range(3):
            journal.append(unread(answer(number)))
        read = [entry.generation for entry in journal.read(10)]
        assert [each.usage.input_tokens for each in read] == [0, 1, 2]
        assert [(each.finish_reasons, each.parameters) for each in read] == [(("stop",), {"seed": 7})] * 3
        assert [each.content and each.content.output for each in read] == [
            {"completion": SECRET, "reasoning": None}
        ] * 3
        assert [each.content and each.content.input for each in read] == [{"messages": REQUEST["messages"]}] * 3


def test_over_the_bound_the_usage_stays(tmp_path: Path) -> None:
    """The oldest content goes, of records that were never read as well."""
    for journal in (journal_in(tmp_path, content_bytes=3_000), MemoryJournal(max_content_bytes=3_000)):
        state.seen = type(state.seen)()
        for number in range(20):
            journal.append(unread(answer(number)))
        read = [entry.generation for entry in journal.read(20)]
        assert [each.usage.input_tokens for each in read] == list(range(20))
        assert len({each.id for each in read}) == 20
        lost = [each.content_lost for each in read]
        assert lost == sorted(lost, reverse=True)
        assert 0 < sum(lost) < 20


def test_another_process_sends_it_without_content(tmp_path: Path) -> None:
    """All that was on disk when the call returned."""
    ours, heir = journal_in(tmp_path), None
    record = unread(answer(5))
    ours.append(record)
    ours.close()
    ours._holdings.close()  # pyright: ignore[reportPrivateUsage] - as the end of its process does
    heir = journal_in(tmp_path)
    heir.tend()
    [entry] = heir.read(10)
    assert entry.generation == bare(record.whole())


@pytest.mark.parametrize(
    "body", [answer(error={"message": SECRET}), answer(usage={"cost": 0.5}), b"<html>", answer(id=3)]
)
def test_an_unusual_answer_is_read_before_it_is_written(body: bytes, tmp_path: Path) -> None:
    """And its record is the same."""
    journal = journal_in(tmp_path)
    record = unread(body)
    journal.append(record)
    [entry] = journal.read(10)
    assert entry.generation == record.whole()
    assert SECRET.encode() not in b"".join(each.read_bytes() for each in tmp_path.rglob("*.seg"))


def test_the_request_is_as_it_was_sent() -> None:
    """Whatever the application does with its own afterwards."""
    request = {**REQUEST, "trace": {"cost_center": "a"}, "user": "u-1"}
    record = unread(answer(), request)
    request["model"], request["user"], request["seed"] = "gpt-5", "u-2", 8
    request["trace"]["cost_center"] = "b"
    whole = record.whole()
    assert (whole.request_model, whole.parameters, whole.attribution.user) == ("gpt-4o", {"seed": 7}, "u-1")
    assert whole.attribution.metadata == {"cost_center": "a"}


def test_an_id_is_used_once() -> None:
    """A cache that repeats an answer has made two calls, whichever of them is read first."""
    first, second = unread(answer()), unread(answer())
    written = [json.loads(encode(each).line[12:])["id"] for each in (first, second)]
    assert [second.whole().id, first.whole().id] == [written[1], written[0]]
    assert written[0] != written[1]


def test_who_pays_is_who_was_named_when_it_ended() -> None:
    """A list in the metadata that the application goes on with is not that of this call any more."""
    steps = ["a"]
    team = {"cost_center": "A"}
    with Block(Attribution(metadata={"team": team})):
        record = unread(answer(), {**REQUEST, "trace": {"steps": steps}})
    line = encode(record).line
    steps.append("b")
    team["cost_center"] = "B"
    assert record.whole().attribution.metadata == {"steps": ["a"], "team": {"cost_center": "A"}}
    written = decode(line[:-1])
    assert written is not None
    assert written.generation.attribution.metadata == {"steps": '["a"]', "team": '{"cost_center":"A"}'}


LONG: Final[dict[str, Any]] = {f"key_{number}": "v" * 900 for number in range(8)}
"""More metadata than there is room for in a line."""


def test_what_is_sent_has_the_id_of_its_line(tmp_path: Path) -> None:
    """Whoever sends it after a crash sends it again: a gateway's ids can be so long that a line has a shorter one."""
    journal = journal_in(tmp_path)
    journal.append(unread(answer(id="resp_" + "x" * 400), {**REQUEST, "trace": LONG}))
    [entry] = journal.read(10)
    [line] = [json.loads(each[12:]) for file in tmp_path.rglob("*.seg") for each in file.read_bytes().splitlines()]
    assert entry.generation.id == line["id"]
    assert entry.generation.content is not None


def test_over_the_bound_it_is_still_known_who_pays(tmp_path: Path) -> None:
    """Content goes long before the metadata that had no room in the line."""
    journal = journal_in(tmp_path, content_bytes=3_000)
    for number in range(5):
        journal.append(unread(answer(number), {**REQUEST, "trace": LONG}))
    first = journal.read(10)[0].generation
    assert first.content_lost
    assert first.attribution.metadata == LONG


@given(
    st.dictionaries(
        st.sampled_from(["model", "stream", "temperature", "max_tokens", "seed", "user", "metadata"]),
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just({"team": "a"})),
    )
)
def test_a_record_says_of_the_request_what_the_request_says(body: dict[str, Any]) -> None:
    """A record takes it from where the request takes it."""
    state.seen = type(state.seen)()
    record = unread(answer(), {"messages": [], **body})
    request, whole = record.request(), record.whole()
    for name in ("operation", "library", "provider", "server_address", "server_port", "request_model", "streamed"):
        assert getattr(request, name) == getattr(whole, name)
    assert repr(request.parameters) == repr(whole.parameters)  # not a number is not equal to itself
    assert request.api_key_hash == whole.api_key_hash


@pytest.mark.parametrize("more", [10, SMALL_BYTES + 1])
def test_a_record_on_its_way_has_no_content(more: int, tmp_path: Path) -> None:
    """Once its batch is put together, it is all that it was but for that, whether there was little of it or much."""
    journal = journal_in(tmp_path)
    record = unread(answer(), {**REQUEST, "messages": [{"role": "user", "content": "x" * more}]})
    journal.append(record)
    entries = journal.read(10)
    whole = entries[0].generation
    assert whole.content is not None
    journal.freeze(entries)
    assert replace(whole, content=None, content_lost=True) == entries[0].generation
    assert entries[0].generation is entries[0].generation
    assert not entries[0].pending


def test_what_a_request_says_is_what_it_said_when_it_was_made() -> None:
    """Two calls at a time may share the dictionaries of an ``extra_body``, which says something else for the second."""
    team = {"cost_center": "A"}
    record = unread(answer(), {**REQUEST, "trace": {"team": team}})
    team["cost_center"] = "B"
    encode(record)
    assert record.whole().attribution.metadata == {"team": {"cost_center": "A"}}
