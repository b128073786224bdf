"""
How cost grows: ``python -m benchmarks.compare.growing PART RECEIVER``, in a process of its own, prints lines of JSON.

What an integration hands over is timed, `Sink.record`: reading the clock around it costs a fraction of it.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from subprocess import run
from typing import Any, Final, cast

from . import own
from .scenarios import AT_ONCE, CHARACTERS
from .timing import Figures, Say, added, play
from .worker import resident_kib
from .workers import Place, counts, order, working

Curve = dict[str, dict[str, float]]
"""A point of the curve → its figures."""

DECADES: Final = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)
AT_A_TIME: Final = 20_000
"""Calls between two waits for the delivery, which nobody times: a million at once would meet the journal's bound."""

THREADS: Final = (1, 2, 5, 10, 20, 50, 100, 200)
OF_ALL_THREADS: Final = 20_000
WAITING: Final = (1_000, 10_000, 100_000, 1_000_000)
PROCESSES: Final = (1, 4, 16, 64)
OF_ALL_PROCESSES: Final = 32_000
ROUNDS: Final = 5
SECONDS: Final = 900


def recording(receiver: str) -> Callable[[], None]:
    """Switch on; what is returned records a finished call with a prompt of 1 kB."""
    import ramp_tracing
    from ramp_tracing._record import Content, Generation, GenerationId, Timing, UnixNanos, Usage
    from ramp_tracing._state import state

    ramp_tracing.instrument(api_key="bench", base_url=receiver, max_batch_spans=own.SPANS)
    sink, now, prompt = state.sink, time.time_ns(), [{"role": "user", "content": "p" * 1_000}]
    assert sink is not None
    template = Generation(
        id=GenerationId("none"),
        operation="chat",
        library="openai",
        timing=Timing(started=UnixNanos(now - 10**9), ended=UnixNanos(now)),
        provider="openai",
        request_model="gpt-4o",
        response_model="gpt-4o-2024-08-06",
        usage=Usage(input_tokens=10, output_tokens=5, total_tokens=15),
        content=Content(input={"messages": prompt}, output={"completion": "Yes."}, size_bytes=1_000),
    )

    def record() -> None:
        sink.record(replace(template, id=GenerationId(f"bench-{time.time_ns()}-{threading.get_ident()}")))

    return record


def calls(receiver: str) -> Iterator[tuple[str, dict[str, float]]]:
    """One to a million calls in a process."""
    import ramp_tracing

    record, made = recording(receiver), 0
    for decade in DECADES:
        spent, these = 0.0, decade - made
        while made < decade:
            now = min(AT_A_TIME, decade - made)
            spent += thread_seconds(record, now)
            made += now
            ramp_tracing.flush(SECONDS)
        figures = {"caller µs a call": spent / max(1, these) * 1e6, "resident MiB": resident_kib() / 1_024}
        yield f"{decade:,}", {**figures, "lost": ramp_tracing.stats().lost}


def thread_seconds(record: Callable[[], None], calls: int) -> float:
    """CPU of this thread for *calls* records."""
    before = time.thread_time()
    for _ in range(calls):
        record()
    return time.thread_time() - before


def threads(receiver: str) -> Iterator[tuple[str, dict[str, float]]]:
    """One to 200 threads that record as fast as they can."""
    import ramp_tracing

    record = recording(receiver)
    thread_seconds(record, 1_000)
    for count in THREADS:
        ramp_tracing.flush(SECONDS)
        each, started = OF_ALL_THREADS // count, time.perf_counter()
        with ThreadPoolExecutor(count) as pool:
            spent = sum(pool.map(lambda _, calls=each: thread_seconds(record, calls), range(count)))
        wall = time.perf_counter() - started
        per_call = 1e6 / (each * count)
        yield f"{count}", {"callers µs a call": spent * per_call, "wall µs a call": wall * per_call}


PARTS: Final[dict[str, Callable[[str], Iterator[tuple[str, dict[str, float]]]]]] = {"calls": calls, "threads": threads}


def apart(part: str, place: Place) -> Curve:
    """Run a part in a process of its own."""
    command = [str(place.python("ours")), "-m", "benchmarks.compare.growing", part, place.address("ours")]
    environ: Any = place.environ("ours")
    done = run(command, env=environ, capture_output=True, text=True, timeout=2 * SECONDS, check=True)
    return cast("Curve", dict(json.loads(line) for line in done.stdout.splitlines()))


def beside(scenarios: dict[str, str], place: Place) -> Curve:
    """Point → figures of a scenario, which is timed in turns with the baseline."""
    curve: Curve = {}
    with working(("baseline", "ours"), "openai", place) as workers:
        for point, scenario in scenarios.items():
            found: Figures = {name: {} for name in workers}
            play(scenario, list(workers.values()), ROUNDS, found)
            figures = {f"{figure} µs a call": added(found, "ours", figure) or 0.0 for figure in ("caller", "all")}
            curve[point] = figures
    return curve


def waiting(place: Place, say: Say) -> Curve:
    """Records that wait: how the next process starts."""
    curve: Curve = {}
    for records in WAITING:
        say(f"{records:,} records wait for the next process")
        order(place.receiver, "silence")
        try:
            left = own.apart("leave", place, records)
        finally:
            order(place.receiver, "speak")
        counts(place, "ours")
        curve[f"{records:,}"] = {**left, **own.apart("adopt", place, int(left["waiting"]))}
    return curve


def processes(place: Place, say: Say) -> Curve:
    """Processes that record and drain side by side, with one journal's directory."""
    curve: Curve = {}
    for count in PROCESSES:
        say(f"{count} processes drain")
        started = time.perf_counter()
        with ThreadPoolExecutor(count) as pool:
            drained = list(pool.map(lambda _, n=count: own.apart("drain", place, OF_ALL_PROCESSES // n), range(count)))
        arrived = counts(place, "ours")["spans"]
        figures = {"records/s": sum(each["delivered a second"] for each in drained), "arrived": arrived - count}
        cpu = sum(each["CPU µs a record"] for each in drained) / count
        curve[f"{count}"] = {**figures, "CPU µs a record": cpu, "seconds": time.perf_counter() - started}
    return curve


def grow(place: Place, say: Say) -> dict[str, Curve]:
    """Every curve."""
    say("one to a million calls")
    curves = {"growth: calls": apart("calls", place)}
    say("one to 200 threads")
    curves["growth: threads"] = apart("threads", place)
    say("one to 2,000 tasks, prompts of 100 B to 10 MB")
    curves["growth: tasks"] = beside({f"{count:,}": f"tasks {count}" for count in AT_ONCE}, place)
    curves["growth: prompt"] = beside({f"{size:,}": f"prompt {size}" for size in CHARACTERS}, place)
    return {**curves, "growth: waiting": waiting(place, say), "growth: processes": processes(place, say)}


if __name__ == "__main__":
    for point in PARTS[sys.argv[1]](sys.argv[2]):
        print(json.dumps(point), flush=True)
