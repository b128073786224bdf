import logging
import time
from collections.abc import Callable, Iterator

import pytest

from ramp_tracing._delivery._drainer import Drainer
from ramp_tracing._delivery._pace import HOLD_SECONDS, Pace
from ramp_tracing._delivery._stages import Stages, export_settings
from ramp_tracing._export import Encoder, SpanPublisher
from ramp_tracing._journal import MemoryJournal, Stats
from ramp_tracing._record import Generation

from .receiver import Behaviour, Exchange, Receiver, answer, hang, raw, refuse_spans
from .records import KEY, config_for, generation, span_id, span_ids

OK = answer(200)


class Delivery:
    """A drainer with its journal, driven by hand and without waiting."""

    def __init__(self, receiver: Receiver, *generations: Generation, **options: object) -> None:
        config = config_for(receiver.url, **options)
        settings = export_settings(config)
        stages = Stages(price=lambda each: each, encoder=Encoder(settings), publisher=SpanPublisher((), settings))
        self.journal = MemoryJournal()
        self.pace = Pace(jitter=lambda: 0.0)
        self.drainer = Drainer(config, self.journal, stages=stages, pace=self.pace)
        for each in generations:
            self.journal.append(each)

    def send(self, *, seconds: float = 30.0) -> Stats:
        """One request."""
        assert self.drainer.send(seconds)
        return self.journal.counts()

    def send_all(self) -> Stats:
        """As many requests as it takes, without regard to waits."""
        while self.drainer.send(30.0):
            assert self.drainer.wait_seconds() < 1.0
        return self.journal.counts()


Make = Callable[..., Delivery]


@pytest.fixture
def delivery() -> Iterator[Make]:
    made: list[Delivery] = []

    def make(receiver: Receiver, *generations: Generation, **options: object) -> Delivery:
        made.append(Delivery(receiver, *generations, **options))
        return made[-1]

    yield make
    for each in made:
        each.drainer.close()


def some(count: int) -> list[Generation]:
    return [generation(number) for number in range(count)]


def test_what_is_taken_is_acknowledged(delivery: Make) -> None:
    """All records, in order, in as few requests as they fit into."""
    with Receiver.which(OK) as receiver:
        counts = delivery(receiver, *some(120)).send_all()
    assert counts == Stats(recorded=120, acknowledged=120)
    assert [len(request.span_ids) for request in receiver.requests] == [50, 50, 20]
    assert receiver.span_ids == span_ids(*range(120))


def test_there_may_be_nothing_to_send(delivery: Make) -> None:
    """Then there is no request."""
    with Receiver.which(OK) as receiver:
        assert delivery(receiver).drainer.send(1.0) is False
    assert receiver.requests == []


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_failure_that_passes_is_tried_again_with_the_same_bytes_and_key(delivery: Make, status: int) -> None:
    """Also when more has been recorded meanwhile."""
    with Receiver.which(answer(status), answer(status), OK) as receiver:
        one = delivery(receiver, *some(2))
        assert one.send() == Stats(recorded=2, waiting=2)
        one.journal.append(generation(9))
        one.send_all()
    first, second, third, fourth = receiver.requests
    assert (first.head, first.body) == (second.head, second.body) == (third.head, third.body)
    assert first.headers["idempotency-key"] != fourth.headers["idempotency-key"]
    assert fourth.span_ids == span_ids(9)


@pytest.mark.parametrize(("behave", "seconds"), [(raw(), 30), (raw(b"junk\r\n\r\n"), 30), (hang, 2)])
def test_a_lost_answer_is_tried_again_with_the_same_bytes_and_key(
    delivery: Make, behave: Behaviour, seconds: float
) -> None:
    """So that a receiver may know them again."""
    with Receiver.which(behave, OK) as receiver:
        one = delivery(receiver, *some(2))
        assert one.send(seconds=seconds) == Stats(recorded=2, waiting=2)
        assert one.send() == Stats(recorded=2, acknowledged=2)
    first, second = receiver.requests
    assert (first.head, first.body) == (second.head, second.body)


def test_the_receivers_wish_to_wait_is_respected(delivery: Make) -> None:
    """Not a second earlier."""
    with Receiver.which(answer(429, Retry_After="20"), OK) as receiver:
        one = delivery(receiver, *some(1))
        one.send()
        assert 10.0 < one.drainer.wait_seconds() <= 20.0


@pytest.mark.parametrize("status", [301, 302, 307, 308, 401, 402, 403, 404, 405, 409, 415])
def test_what_a_person_must_put_right_keeps_everything(
    delivery: Make, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """One line says so, loudly; the next try is in a minute."""
    with Receiver.which(answer(status, b'{"error_v2":{"error_code":"A","message":"B"}}', X_Trace_Id="t-1")) as receiver:
        one = delivery(receiver, *some(3))
        for _ in range(3):
            counts = one.send()
    assert counts == Stats(recorded=3, waiting=3)
    assert HOLD_SECONDS / 2 < one.drainer.wait_seconds() <= HOLD_SECONDS
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    line = caplog.records[0].getMessage()
    assert line.startswith(f"Ramp answered {status} (A: B), x-trace-id t-1: ")
    assert "3 records are kept" in line
    assert "spool send --from" in line


def test_a_held_batch_arrives_once_it_may(delivery: Make) -> None:
    """With the bytes of the first time."""
    with Receiver.which(answer(401), OK) as receiver:
        one = delivery(receiver, *some(3))
        one.send()
        assert one.send() == Stats(recorded=3, acknowledged=3)
    assert receiver.requests[0].body == receiver.requests[1].body


def too_long(limit: int) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        answer(413 if len(exchange.request.body) > limit else 200)(exchange)

    return behave


def test_a_batch_that_is_too_large_goes_in_halves(delivery: Make) -> None:
    """As often as it takes, in order, none twice."""
    with Receiver.which(too_long(6000)) as receiver:
        counts = delivery(receiver, *some(50)).send_all()
    assert counts == Stats(recorded=50, acknowledged=50)
    taken = [request for request in receiver.requests if len(request.body) <= 6000]
    assert [each for request in taken for each in request.span_ids] == span_ids(*range(50))


def test_a_record_that_is_too_large_goes_without_content(delivery: Make) -> None:
    """Its usage arrives, and its neighbours are untouched."""
    records = [generation(0, text="short"), generation(1, text="x" * 9000), generation(2, text="short")]
    with Receiver.which(too_long(6000)) as receiver:
        counts = delivery(receiver, *records).send_all()
    assert counts == Stats(recorded=3, acknowledged=3)
    taken = [request for request in receiver.requests if len(request.body) <= 6000]
    assert [each for request in taken for each in request.span_ids] == span_ids(0, 1, 2)
    assert sum(request.body.count(b"short") for request in taken) == 2


def test_a_record_that_is_too_large_even_so_is_dead(delivery: Make, caplog: pytest.LogCaptureFixture) -> None:
    """With the reason; the usage alone was tried."""
    with Receiver.which(answer(413)) as receiver:
        one = delivery(receiver, generation(1, text="hello"))
        counts = one.send_all()
    assert counts == Stats(recorded=1, dead=1)
    assert [b"hello" in request.body for request in receiver.requests] == [True, False]
    assert one.journal.dead_letters[0].reason == "Ramp answered 413"
    assert "lower max_batch_bytes" in caplog.text


@pytest.mark.parametrize("count", [1, 2, 50])
def test_a_bad_record_takes_no_other_with_it(delivery: Make, count: int) -> None:
    """They are sent one by one, once; the bad one is dead."""
    bad = span_id(count // 2)
    with Receiver.which(refuse_spans(lambda each: each == bad)) as receiver:
        one = delivery(receiver, *some(count))
        counts = one.send_all()
    assert counts == Stats(recorded=count, acknowledged=count - 1, dead=1)
    assert len(receiver.requests) == (1 if count == 1 else count + 1)
    assert [letter.generation.id for letter in one.journal.dead_letters] == [f"gen-{count // 2}"]


def test_a_record_sent_by_itself_is_tried_again_like_any_other(delivery: Make) -> None:
    """A receiver may be down in the middle of it."""
    bad = span_id(1)
    with Receiver.which(answer(400), OK, answer(503), refuse_spans(lambda each: each == bad)) as receiver:
        counts = delivery(receiver, *some(3)).send_all()
    assert counts == Stats(recorded=3, acknowledged=2, dead=1)
    assert receiver.requests[2].body == receiver.requests[3].body


def test_a_partial_success_is_said_and_counted_and_not_sent_again(
    delivery: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """The receiver does not say which records it refused."""
    partial = answer(200, b'{"partialSuccess":{"rejectedSpans":"2","errorMessage":"secret prompt"}}', X_Trace_Id="t-2")
    with Receiver.which(partial) as receiver:
        counts = delivery(receiver, *some(5)).send_all()
    assert counts == Stats(recorded=5, acknowledged=3, dead=2)
    assert len(receiver.requests) == 1
    assert "Ramp refused 2 of 5 records without saying which, x-trace-id t-2" in caplog.text


def test_more_refused_than_sent_is_all_of_them(delivery: Make) -> None:
    """A receiver may count other things."""
    with Receiver.which(answer(200, b'{"partialSuccess":{"rejectedSpans":"900"}}')) as receiver:
        assert delivery(receiver, *some(5)).send_all() == Stats(recorded=5, dead=5)


def test_a_failing_receiver_costs_one_line_a_minute(delivery: Make, caplog: pytest.LogCaptureFixture) -> None:
    """However often it is asked."""
    with Receiver.which(answer(503, b"down\r\nfor\x1b[31m maintenance", X_Trace_Id="t-3")) as receiver:
        one = delivery(receiver, *some(3))
        for _ in range(20):
            one.send()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "WARNING",
            "Ramp answered 503 (down\\r\\nfor\\x1b[31m maintenance), x-trace-id t-3; 3 records are kept and sent again",
        )
    ]


def test_an_unreachable_receiver_costs_one_line_a_minute(delivery: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Which says what to check."""
    with Receiver.which(OK) as receiver:
        one = delivery(receiver, *some(3))
    for _ in range(20):
        assert one.send() == Stats(recorded=3, waiting=3)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("Ramp cannot be reached: nothing listens there")


def test_no_line_shows_the_key(delivery: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Although the receiver repeats it, at every level."""
    echo = f'{{"error_v2":{{"error_code":"{KEY}","message":"Bearer {KEY}"}}}}'.encode()
    behaviours = [answer(status, echo, X_Trace_Id=KEY) for status in (503, 401, 302, 400, 200)]
    with caplog.at_level(logging.DEBUG), Receiver.which(*behaviours) as receiver:
        one = delivery(receiver, generation(1))
        for _ in range(4):
            one.send()
        one.journal.append(generation(2))
        one.send()
    assert len(caplog.records) >= 4
    assert KEY not in caplog.text
    assert KEY not in str(one.journal.dead_letters)


def test_an_idle_connection_is_closed(delivery: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else holds it open for the rest of the day."""
    monkeypatch.setattr("ramp_tracing._delivery._transport.MAX_IDLE_SECONDS", 600)
    with Receiver.which(OK) as receiver:
        one = delivery(receiver, *some(1))
        assert one.drainer.idle() is None
        one.send()
        left = one.drainer.idle()
        assert left is not None
        monkeypatch.setattr("ramp_tracing._delivery._transport.MAX_IDLE_SECONDS", 0.01)
        time.sleep(0.02)
        assert one.drainer.idle() is None
