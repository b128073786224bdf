import pytest

from ramp_tracing._delivery._pace import HOLD_SECONDS, MAX_REQUESTS, WINDOW_SECONDS, Pace


def full_jitter() -> float:
    return 1.0


def test_the_first_request_may_be_made_at_once() -> None:
    """Whatever the clock says."""
    assert Pace().wait_seconds(0.0) == 0.0


def test_failures_double_the_wait_up_to_a_minute() -> None:
    """From one second."""
    pace = Pace(jitter=full_jitter)
    waits = []
    for _ in range(9):
        pace.failed(100.0)
        waits.append(pace.wait_seconds(100.0))
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]


def test_the_jitter_is_full() -> None:
    """Many processes that failed together do not come back together."""
    pace = Pace(jitter=lambda: 0.25)
    pace.failed(100.0)
    assert pace.wait_seconds(100.0) == 0.25


def test_what_the_receiver_asked_for_is_the_least() -> None:
    """A longer backoff of ours stays."""
    pace = Pace(jitter=full_jitter)
    pace.failed(100.0, floor_seconds=20.0)
    assert pace.wait_seconds(100.0) == 20.0
    for _ in range(6):
        pace.failed(100.0, floor_seconds=20.0)
    assert pace.wait_seconds(100.0) == 60.0


def test_the_wait_gets_shorter_as_time_goes_by() -> None:
    """And ends."""
    pace = Pace(jitter=full_jitter)
    pace.failed(100.0, floor_seconds=20.0)
    assert [pace.wait_seconds(now) for now in (110.0, 120.0, 500.0)] == [10.0, 0.0, 0.0]


def test_a_success_begins_the_backoff_anew() -> None:
    """The next failure waits a second again."""
    pace = Pace(jitter=full_jitter)
    for _ in range(5):
        pace.failed(100.0)
    pace.succeeded()
    pace.failed(200.0)
    assert pace.wait_seconds(200.0) == 1.0


def test_what_a_person_must_put_right_is_tried_every_minute() -> None:
    """Not more often, and not more rarely the longer it takes."""
    pace = Pace(jitter=full_jitter)
    for _ in range(5):
        pace.held(100.0)
    assert pace.wait_seconds(100.0) == HOLD_SECONDS


def test_no_more_requests_than_the_receiver_allows() -> None:
    """In any ten seconds, wherever they begin."""
    pace = Pace()
    now, sent = 0.0, []
    while now < 60.0:
        wait = pace.wait_seconds(now)
        assert wait >= 0.0
        now += wait
        pace.sending(now)
        sent.append(now)
        now += 0.01
    gaps = [later - earlier for earlier, later in zip(sent, sent[MAX_REQUESTS:], strict=False)]
    assert min(gaps) == pytest.approx(WINDOW_SECONDS)


def test_a_backoff_can_be_waived_and_what_the_receiver_asked_for_cannot() -> None:
    """Where there will be no later."""
    pace = Pace(jitter=full_jitter)
    pace.held(100.0)
    pace.waive()
    assert pace.wait_seconds(100.0) == 0.0
    pace.failed(100.0, floor_seconds=0.5)
    pace.waive()
    assert pace.wait_seconds(100.0) == 0.5
    pace.held(200.0)
    pace.waive()
    assert pace.wait_seconds(200.0) == 0.0
