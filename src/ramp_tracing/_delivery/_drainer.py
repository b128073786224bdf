"""Sends what waits, and does what each answer asks for."""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from .._config import Config
from .._context import untraced
from .._guard import log
from .._journal import Journal
from ._advice import AFTERWARDS, TOKEN, advice_on
from ._answers import Answer, Kind, Verdict, judge
from ._batching import Batch, Batcher
from ._failures import UnreachableError
from ._pace import HOLD_SECONDS, Pace
from ._request import headers_of
from ._sender import Sender
from ._stages import Stages
from ._tokens import TokenRefusedError


class Drainer:
    """
    Empties a journal, oldest first. Used by one thread at a time; one request at a time.

    A batch stays at the head until all of it is settled, so records are settled in the order in which they were
    recorded, give or take a batch.

    Args:
        config: Address, key, bounds.
        journal: What is to be emptied.
        stages: What the records go through.
        pace: When requests may be made.
    """

    def __init__(self, config: Config, journal: Journal, *, stages: Stages, pace: Pace | None = None) -> None:
        self._config = config
        self._journal = journal
        self._stages = stages
        self._pace = pace or Pace()
        self._batcher = Batcher(journal, stages, config)
        self._sender = Sender(config)
        self._frozen: deque[Batch] = deque()

    @property
    def has_frozen(self) -> bool:
        """Whether a batch is put together already."""
        return bool(self._frozen)

    def wait_seconds(self) -> float:
        """How long to wait until the next request; 0 if it may be made."""
        return self._pace.wait_seconds(time.monotonic())

    def waive_backoff(self) -> None:
        """Allow a request now, unless the receiver has asked for none; by any thread."""
        self._pace.waive()

    def warm_up(self) -> None:
        """Import what sending needs."""
        self._batcher.warm_up()

    def send(self, timeout_seconds: float) -> bool:
        """
        Make one request and do what the answer asks for.

        Args:
            timeout_seconds: For the whole request.

        Returns:
            False if there was nothing to send, nor anything that the user does not want sent.
        """
        if not self._frozen:
            fresh = self._batcher.next()
            if fresh is None:
                return self._batcher.has_left_out()
            self._frozen.append(fresh)
        batch = self._frozen[0]
        self._pace.sending(time.monotonic())
        headers = headers_of(self._config, self._stages.encoder.content_type, more={"Idempotency-Key": batch.key})
        try:
            with untraced():
                answer = self._sender.post(batch.body, headers, timeout_seconds=timeout_seconds)
        except TokenRefusedError as error:
            self._go_without_token(error.answer)
        except UnreachableError as error:
            self._pace.failed(time.monotonic())
            self._say(logging.WARNING, error.cause, f"Ramp cannot be reached: {error}; {self._kept()}")
        else:
            verdict = judge(answer, now=datetime.now(UTC))
            self._ACTIONS[verdict.kind](self, answer, verdict)
        return True

    def _go_without_token(self, answer: Answer) -> None:
        """Whatever the answer was to, it was not to the batch, which is kept."""
        verdict = judge(answer, now=datetime.now(UTC))
        if verdict.kind == "retry":
            self._pace.failed(time.monotonic(), floor_seconds=verdict.floor_seconds)
        else:
            self._pace.held(time.monotonic())
        level = logging.WARNING if verdict.kind == "retry" else logging.ERROR
        self._say(level, "token", f"{_described(answer)} and gave no token: {TOKEN}. {self._kept()}")

    def idle(self) -> float | None:
        """Close the connection if it has been idle for long; seconds until then, or `None` if there is none."""
        left = self._sender.idle_seconds_left()
        if left is not None and left <= 0:
            self._sender.close()
            return None
        return left

    def flush_exporters(self, timeout_seconds: float) -> None:
        """Give the user's exporters what they have not had yet; by any thread."""
        self._stages.publisher.flush(timeout_seconds)

    def shutdown_exporters(self, timeout_seconds: float) -> None:
        """Give the user's exporters what they have not had yet, for the last time; by any thread."""
        self._stages.publisher.shutdown(timeout_seconds)

    def close(self) -> None:
        """Give the connection up; the next request makes a new one."""
        self._sender.close()

    def abandon(self) -> None:
        """Forget everything, in a forked child: the parent goes on with it."""
        self._sender.abandon()

    def _acknowledge(self, answer: Answer, verdict: Verdict) -> None:
        batch = self._frozen.popleft()
        self._pace.succeeded()
        refused = min(verdict.refused, len(batch.items))
        self._journal.acknowledge(batch.entries, refused=refused)
        log.once_a_minute(logging.DEBUG, "acknowledged", f"Ramp took {len(batch.items)} records{_reference(answer)}")
        if refused:
            self._say(
                logging.WARNING,
                "partial success",
                f"Ramp refused {refused} of {len(batch.items)} records without saying which{_reference(answer)}",
            )

    def _retry(self, answer: Answer, verdict: Verdict) -> None:
        self._pace.failed(time.monotonic(), floor_seconds=verdict.floor_seconds)
        self._say(logging.WARNING, f"answer {answer.status}", f"{_described(answer)}; {self._kept()}")

    def _hold(self, answer: Answer, verdict: Verdict) -> None:
        self._pace.held(time.monotonic())
        fix = advice_on(answer.status)
        again = f"{self._kept()}, and tried every {HOLD_SECONDS:.0f} s until then; {AFTERWARDS}"
        self._say(logging.ERROR, f"answer {answer.status}", f"{_described(answer)}: {fix}. {again}")

    def _split(self, answer: Answer, verdict: Verdict) -> None:
        """In halves, and at last a single record without its content."""
        batch = self._frozen[0]
        if len(batch.items) > 1:
            self._replace(self._batcher.halves(batch))
        elif (smaller := self._batcher.without_content(batch)) is not None:
            self._replace([smaller])
            self._say(logging.WARNING, "content too large", "a record is too large for Ramp: it is sent as usage only")
        else:
            self._bury(answer)

    def _bisect(self, answer: Answer, verdict: Verdict) -> None:
        """One by one, once: so the neighbours of a bad record get through."""
        batch = self._frozen[0]
        if len(batch.items) > 1:
            self._replace(self._batcher.singles(batch))
        else:
            self._bury(answer)

    # Not bound to an instance, which would then never go away by itself, nor would the locks of its journal.
    _ACTIONS: ClassVar[Mapping[Kind, Callable[..., None]]] = {
        "acknowledge": _acknowledge,
        "retry": _retry,
        "hold": _hold,
        "split": _split,
        "bisect": _bisect,
    }

    def _replace(self, parts: Sequence[Batch]) -> None:
        """Put *parts*, which are made by now, in the place of the batch at the head."""
        self._frozen.popleft()
        self._frozen.extendleft(reversed(parts))

    def _bury(self, answer: Answer) -> None:
        for entry in self._frozen.popleft().entries:
            self._journal.bury(entry, _refusal(answer))
        fix = advice_on(answer.status)
        self._say(logging.ERROR, "refused", f"A record was set aside for good. {_refusal(answer)}: {fix}")

    def _kept(self) -> str:
        return f"{self._journal.counts().waiting} records are kept and sent again"

    def _say(self, level: int, cause: str, message: str) -> None:
        log.once_a_minute(level, f"delivery: {cause}", message)


def _described(answer: Answer) -> str:
    said = f" ({answer.said})" if answer.said else ""
    return f"Ramp answered {answer.status}{said}{_reference(answer)}"


def _refusal(answer: Answer) -> str:
    """Why a record is refused; without the receiver's own words, which may quote the record's content."""
    code = f" ({answer.code})" if answer.code else ""
    return f"Ramp answered {answer.status}{code}{_reference(answer)}"


def _reference(answer: Answer) -> str:
    return f", x-trace-id {answer.trace_id}" if answer.trace_id else ""
