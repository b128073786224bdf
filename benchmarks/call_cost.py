"""
What a call costs the application's thread: `python benchmarks/call_cost.py`.

Two things are timed: `record()`, which is where every integration hands its finished record over, and
`record_generation()`, which reads what it is given and copies the prompt as well. A receiver that is well runs in
another process. Figures are worth something on a machine that does nothing else; nothing here fails if they are bad.
Whoever is woken every 2 ms finds cold caches: the rows of `copy.deepcopy`, which has nothing to do with us, say what
that does on this machine.
"""

import copy
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

SOURCE: Final = Path(__file__).resolve().parents[1] / "src"

PROMPTS: Final = {"0 B": 0, "2 kB": 2_000, "20 kB": 20_000, "200 kB": 200_000, "2 MB": 2_000_000}
PACE_SECONDS: Final = 0.002
BURST: Final = 20_000
KIB: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    One row.

    Attributes:
        what: What is timed, a row of `CALLS`.
        prompt: A row of `PROMPTS`.
        paced: Every 2 ms, or as fast as possible.
        busy_threads: Threads that compute meanwhile, and want the GIL.
    """

    what: str
    prompt: str
    paced: bool
    busy_threads: int = 0

    @property
    def samples(self) -> int:
        """How many calls: fewer of those whose prompts would keep the encoder busy for minutes."""
        if not self.paced:
            return 5_000
        return 300 if PROMPTS[self.prompt] > 100_000 else 600


CASES: Final = [
    *[
        Case(what=what, prompt=prompt, paced=False)
        for what in ("deepcopy", "record", "record_generation")
        for prompt in ("0 B", "2 kB")
    ],
    *[
        Case(what=what, prompt=prompt, paced=True, busy_threads=threads)
        for what in ("nothing", "deepcopy", "record", "record_generation")
        for threads in (0, 4)
        for prompt in PROMPTS
        if what not in {"nothing", "deepcopy"} or prompt == "0 B"
    ],
]

Prepared = Callable[[], object]
"""A call that is ready to be made, once."""


def nothing(prompt: str) -> Iterator[Prepared]:
    """What the measuring itself costs."""
    while True:
        yield lambda: None


def deepcopy(prompt: str) -> Iterator[Prepared]:
    """A function of the standard library that takes as long as `record` in a tight loop: what the pace alone does."""
    value = {"lists": [[number, str(number), {"key": number}] for number in range(8)], "prompt": prompt}
    while True:
        yield lambda: copy.deepcopy(value)


def record(prompt: str) -> Iterator[Prepared]:
    """Records that are made already, with the prompt by reference as an integration has it."""
    from ramp_tracing._record import Content, Generation, GenerationId, Timing, UnixNanos, Usage
    from ramp_tracing._state import state

    sink = state.sink
    assert sink is not None
    content = Content(input=messages(prompt), output={"completion": "Yes."}, size_bytes=len(prompt))
    template = Generation(
        id=GenerationId("none"),
        operation="chat",
        library="openai",
        timing=Timing(started=UnixNanos(time.time_ns() - 10**9), ended=UnixNanos(time.time_ns())),
        provider="openai",
        request_model="gpt-4o",
        response_model="gpt-4o-2024-08-06",
        usage=Usage(input_tokens=10, output_tokens=5, total_tokens=15),
        content=content if prompt else None,
    )
    while True:
        generation = replace(template, id=GenerationId(f"bench-{uuid4().hex}"))
        yield lambda: sink.record(generation)  # noqa: B023 - it is called before the next one is made


def record_generation(prompt: str) -> Iterator[Prepared]:
    """The public function, with the prompt as a message."""
    import ramp_tracing

    facts: dict[str, Any] = {"provider": "openai", "model": "gpt-4o", "input_tokens": 10, "output_tokens": 5}
    if prompt:
        facts |= {"input_messages": messages(prompt)["messages"], "output_messages": "Yes."}
    while True:
        yield lambda: ramp_tracing.record_generation(**facts)


CALLS: Final[dict[str, Callable[[str], Iterator[Prepared]]]] = {
    "nothing": nothing,
    "deepcopy": deepcopy,
    "record": record,
    "record_generation": record_generation,
}


def messages(prompt: str) -> dict[str, list[dict[str, str]]]:
    """A conversation of one prompt."""
    return {"messages": [{"role": "user", "content": prompt}]}


def microseconds(case: Case) -> Sequence[float]:
    """How long each call of a case took, in order of length."""
    taken: list[float] = []
    due = time.perf_counter()
    prepared = CALLS[case.what]("p" * PROMPTS[case.prompt])
    with busy(case.busy_threads):
        for _ in range(case.samples):
            call = next(prepared)
            if case.paced:
                due = max(due + PACE_SECONDS, time.perf_counter())
                time.sleep(max(0.0, due - time.perf_counter()))
            started = time.perf_counter_ns()
            call()
            taken.append((time.perf_counter_ns() - started) / 1_000)
    return sorted(taken)


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Threads that do nothing but compute."""
    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            sum(range(1_000))

    threads = [threading.Thread(target=compute) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that *share* of them do not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure() -> int:
    """Everything, in a process that is instrumented."""
    import ramp_tracing

    # As many in a request as it takes for Ramp's limit on requests not to be what is measured.
    ramp_tracing.instrument(max_batch_spans=500)
    ramp_tracing.record_generation(provider="openai", model="gpt-4o", input_tokens=1)
    ramp_tracing.flush(10)
    burst()
    say(("what", "prompt", "pace", "busy threads", "calls", "p50 µs", "p99 µs", "max µs"), header=True)
    for case in CASES:
        ordered = microseconds(case)
        pace = "every 2 ms" if case.paced else "as fast as possible"
        figures = (f"{quantile(ordered, share):.1f}" for share in (0.5, 0.99, 1.0))
        say((case.what, case.prompt, pace, case.busy_threads, case.samples, *figures))
        ramp_tracing.flush(30)
    return 0


def burst() -> None:
    """Many records at once: how long the calls take, until all have arrived, what is lost, what memory it takes."""
    import ramp_tracing

    before, resident = ramp_tracing.stats(), peak_kib()
    prepared = CALLS["record_generation"]("")
    started = time.perf_counter()
    for _ in range(BURST):
        next(prepared)()
    called = time.perf_counter() - started
    ramp_tracing.flush(60)
    after = ramp_tracing.stats()
    say(("records", "made in s", "all arrived after s", "acknowledged", "lost", "resident memory + MB"), header=True)
    arrived = f"{time.perf_counter() - started:.1f}"
    grown = f"{(peak_kib() - resident) / KIB:.1f}"
    say((BURST, f"{called:.2f}", arrived, after.acknowledged - before.acknowledged, after.lost - before.lost, grown))
    say(())


def peak_kib() -> int:
    """The most memory that this process has had. Linux counts in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def say(cells: Iterable[object], *, header: bool = False) -> None:
    """A line of a table in Markdown."""
    words = [str(cell) for cell in cells]
    lines = [" | ".join(words), *([" | ".join(["---"] * len(words))] if header else [])]
    sys.stdout.write("".join(f"| {line} |\n" if line else "\n" for line in lines))
    sys.stdout.flush()


def main() -> int:
    """Serve, and measure in a process of its own."""
    from ramp_tracing.testing import FakeRamp

    with FakeRamp() as ramp, tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "PYTHONPATH": str(SOURCE),
            "RAMP_API_KEY": "bench-key",
            "RAMP_BASE_URL": ramp.url,
            "RAMP_TRACING_STATE_DIR": folder,
        }
        return subprocess.run([sys.executable, __file__, "measure"], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.path.insert(0, str(SOURCE))
    sys.exit(measure() if sys.argv[1:] == ["measure"] else main())
