"""A sink that keeps what was recorded, for tests."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TypeVar, cast, overload

from . import integrations
from ._config import PriceTable
from ._identity import SeenIds
from ._pricing import priced
from ._record import UNKNOWN_JOB, Generation, GenerationId, JobNote, Recorded, whole
from ._sdk import finish_open_streams
from ._state import HeldBack, Hold, state

Item = TypeVar("Item")


class Generations(Sequence[Generation]):
    """
    The calls recorded so far, priced as they would be when sent; a live view, oldest first.

    A job that was settled (a background response, a batch) stands once, in its last form.
    """

    def __init__(self, *, privacy_mode: bool = False) -> None:
        self._keeps_content = not privacy_mode
        self._deferred: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._recorded: SimpleQueue[tuple[Generation, object]] = SimpleQueue()
        self._by_id: dict[str, Generation] = {}

    @property
    def keeps_content(self) -> bool:
        """False in privacy mode."""
        return self._keeps_content

    def record(self, recorded: Recorded) -> None:
        """Take over a record."""
        generation = whole(recorded)
        if generation.role != "step":  # no call, but a run around calls
            self._recorded.put((generation, state.prices))

    def hold(self, recorded: Recorded) -> Hold:
        """Keep a record out of sight until its hold has ended."""
        return HeldBack(self.record, recorded)

    def job(self, job: GenerationId) -> JobNote:
        """Nothing: a test is not told of what other processes do."""
        return UNKNOWN_JOB

    def stand_by(self) -> None:
        """Nothing to prepare: *finish* is called when somebody looks."""

    def defer(self, finish: Callable[[], None]) -> None:
        """Call *finish* when somebody looks."""
        self._deferred.put(finish)

    def __len__(self) -> int:
        return len(self._seen())

    @overload
    def __getitem__(self, index: int) -> Generation: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Generation]: ...
    def __getitem__(self, index: int | slice) -> Generation | Sequence[Generation]:
        return self._seen()[index]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._seen()!r})"

    def _seen(self) -> list[Generation]:
        for finish in _drain(self._deferred):
            finish()
        for generation, prices in _drain(self._recorded):
            self._by_id[generation.id] = priced(generation, own=cast("PriceTable | None", prices))
        return list(self._by_id.values())


def _drain(queue: "SimpleQueue[Item]") -> "Iterator[Item]":
    while True:
        try:
            yield queue.get_nowait()
        except Empty:
            return


@contextmanager
def capture_generations(*, privacy_mode: bool = False) -> Generator[Generations, None, None]:
    """
    Record model calls into a list instead of sending them, in a test.

    Needs no key and no receiver. Everything else is as after `instrument()`, which is restored at the end; called
    inside, `instrument()` checks its options and sends nothing, also after an `uninstrument()` there, which switches
    recording off.

    Args:
        privacy_mode: As the option of `instrument()`.

    Example:
        >>> def test_answers_are_charged_to_the_customer():
        ...     with capture_generations() as generations:
        ...         answer_a_customer()
        ...     [generation] = generations
        ...     assert generation.attribution.user == "customer-7"
    """
    captured = Generations(privacy_mode=privacy_mode)
    sink_before, captured_before, enabled_before = state.sink, state.captured, frozenset(state.enabled)
    known_before = state.seen, state.jobs, state.files
    given_before = state.defaults, state.providers, state.stream_usage, state.spans, state.hashes_keys
    prices_before = state.prices
    state.sink = state.captured = captured
    # Another test's server may use the same ids.
    state.seen, state.jobs, state.files = SeenIds(), {}, {}
    integrations.enable(frozenset(integrations.REGISTRY))
    try:
        yield captured
    finally:
        finish_open_streams()
        integrations.enable(enabled_before)
        state.sink, state.captured, state.prices = sink_before, captured_before, prices_before
        state.seen, state.jobs, state.files = known_before
        (state.defaults, state.providers, state.stream_usage, state.spans, state.hashes_keys) = given_before
