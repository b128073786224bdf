"""
How fast our own delivery is: ``python -m benchmarks.compare.own PART RECEIVER RECORDS``, in a process of its own.

``drain`` records and sends at once. ``leave`` records while the receiver is silent, and ends. ``adopt`` is the next
process, which sends what the one before has left. Each prints one line of JSON.
"""

import json
import sys
import time
from collections.abc import Callable
from subprocess import run
from typing import Final, cast

from .scenarios import SYSTEM
from .timing import Say
from .worker import peak_kib, resident_kib
from .workers import Place, counts, order

RECORDS: Final = 100_000
SECONDS: Final = 300
LOOK_SECONDS: Final = 0.05

SPANS: Final = 500
"""In a request: with the default of 50 it is Ramp's limit of 20 requests a second that is measured."""


def record(number: int) -> None:
    """One call, with a prompt and an answer of some hundred characters."""
    import ramp_tracing

    ramp_tracing.record_generation(
        provider="openai",
        model="gpt-4o-mini",
        response_id=f"bench-{time.time_ns()}-{number}",
        input_tokens=512,
        output_tokens=128,
        input_messages=[{"role": "user", "content": SYSTEM}],
        output_messages=[{"role": "assistant", "content": SYSTEM}],
    )


def drain(receiver: str, records: int) -> dict[str, float]:
    """Record as fast as this thread can, and wait until everything has arrived."""
    import ramp_tracing

    ramp_tracing.instrument(api_key="bench", base_url=receiver, max_batch_spans=SPANS)
    record(0)
    ramp_tracing.flush(SECONDS)
    started, cpu = time.perf_counter(), time.process_time()
    for number in range(records):
        record(number)
    recorded = time.perf_counter() - started
    ramp_tracing.flush(SECONDS)
    seconds = time.perf_counter() - started
    return {
        "recorded a second": records / recorded,
        "delivered a second": records / seconds,
        "CPU µs a record": (time.process_time() - cpu) / records * 1e6,
        "lost": ramp_tracing.stats().lost,
    }


def leave(receiver: str, records: int) -> dict[str, float]:
    """Record for the next process."""
    import ramp_tracing

    ramp_tracing.instrument(api_key="bench", base_url=receiver, max_batch_spans=SPANS, exit_timeout_seconds=0.0)
    for number in range(records):
        record(number)
    return {"waiting": ramp_tracing.stats().waiting}


def adopt(receiver: str, records: int) -> dict[str, float]:
    """Start, record one call, and wait until the receiver has that and what was left."""
    import ramp_tracing

    started, memory = time.perf_counter(), resident_kib()
    ramp_tracing.instrument(api_key="bench", base_url=receiver, max_batch_spans=SPANS)
    switched_on = time.perf_counter()
    record(0)
    called = time.perf_counter()
    first, last = arrivals(receiver, records + 1)
    return {
        "import, instrument() ms": (switched_on - started) * 1e3,
        "first record ms": (called - switched_on) * 1e3,
        "first arrival s": first - started,
        "all arrived s": last - started,
        "peak MiB": (peak_kib() - memory) / 1_024,
    }


def arrivals(receiver: str, records: int) -> tuple[float, float]:
    """
    When the first record of this process's receiver arrived, and when the last.

    Raises:
        TimeoutError: Not all have arrived after `SECONDS`.
    """
    address, _, who = receiver.rpartition("/")
    until, first, arrived = time.perf_counter() + SECONDS, 0.0, 0
    while time.perf_counter() < until:
        arrived += order(address, f"counts/{who}")["spans"]
        first = first or (time.perf_counter() if arrived else 0.0)
        if arrived >= records:
            return first, time.perf_counter()
        time.sleep(LOOK_SECONDS)
    raise TimeoutError(f"{arrived} of {records} records after {SECONDS} s")


PARTS: Final[dict[str, Callable[[str, int], dict[str, float]]]] = {"drain": drain, "leave": leave, "adopt": adopt}


def apart(part: str, place: Place, records: int) -> dict[str, float]:
    """Run a part in a process of its own."""
    command = [str(place.python("ours")), "-m", "benchmarks.compare.own", part, place.address("ours"), str(records)]
    environ = place.environ("ours")
    done = run(command, env=environ, capture_output=True, text=True, timeout=2 * SECONDS, check=True)
    return cast("dict[str, float]", json.loads(done.stdout.splitlines()[-1]))


def deliver(place: Place, say: Say, records: int = RECORDS) -> dict[str, dict[str, float]]:
    """What of each part → its figures."""
    say(f"draining {records:,} records")
    counts(place, "ours")
    drained = apart("drain", place, records)
    order(place.receiver, "silence")
    say(f"leaving {records:,} records to the next process")
    try:
        left = apart("leave", place, records)
    finally:
        order(place.receiver, "speak")
    counts(place, "ours")
    say("sending what was left")
    return {"drained": drained, "left": left, "adopted": apart("adopt", place, int(left["waiting"]))}


if __name__ == "__main__":
    part, receiver, records = sys.argv[1:]
    print(json.dumps(PARTS[part](receiver, int(records))))
