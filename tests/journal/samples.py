"""Records, journals of them, and what lies on the disk."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from ramp_tracing._journal import Entry, FileJournal, Stats
from ramp_tracing._journal._bounds import Bounds
from ramp_tracing._journal._directory import Directory
from ramp_tracing._journal._line import body_in, decode, encode
from ramp_tracing._record import (
    Attribution,
    Content,
    Cost,
    Failure,
    Generation,
    GenerationId,
    SpanParent,
    Timing,
    UnixNanos,
    Usage,
)

ROOT = Path(__file__).parents[2]
DESTINATION = "0123456789abcdef"


def generation(number: int = 0, *, text: str | None = None) -> Generation:
    """A small record; with content if there is a *text*."""
    return Generation(
        id=GenerationId(f"gen-{number}"),
        operation="chat",
        library="openai",
        timing=Timing(started=UnixNanos(10**18 + number), ended=UnixNanos(10**18 + 10**9)),
        usage=Usage(input_tokens=number, output_tokens=0),
        content=None if text is None else Content(input=text, output=text, size_bytes=len(text)),
    )


def full_generation() -> Generation:
    """A record in which no field is at its default, except what is known to be lost."""
    return Generation(
        id=GenerationId("gen-full"),
        operation="chat",
        library="openai",
        timing=Timing(started=UnixNanos(1), ended=UnixNanos(2**62), first_chunk=UnixNanos(0)),
        provider="openrouter",
        upstream_provider="OpenAI",
        server_address="openrouter.ai",
        server_port=443,
        request_model="openai/gpt-4o",
        response_model="openai/gpt-4o-2024-08-06",
        response_id="gen-1",
        finish_reasons=("stop", "length"),
        native_finish_reason="completed",
        service_tier="priority",
        inference_geo="us",
        api_key_hash="9f" * 32,
        streamed=True,
        parameters={"temperature": 0.7, "max_tokens": 500},
        retries=0,
        usage=Usage(
            input_tokens=14,
            output_tokens=1,
            total_tokens=2,
            cache_read_tokens=3,
            cache_write_tokens=4,
            cache_write_5m_tokens=41,
            cache_write_1h_tokens=42,
            cache_write_12h_tokens=43,
            reasoning_tokens=5,
            input_audio_tokens=6,
            output_audio_tokens=7,
            input_image_tokens=8,
            output_image_tokens=9,
            input_video_tokens=91,
            cached_audio_tokens=92,
            cached_image_tokens=93,
            accepted_prediction_tokens=94,
            rejected_prediction_tokens=95,
            input_characters=10,
            audio_seconds=Decimal("11.50"),
            video_seconds=Decimal("11.75"),
            images=12,
            hosted_tool_calls={"web_search_call": 13},
            estimated=True,
        ),
        cost=Cost(
            total=Decimal("0.0000000001"),
            input=Decimal(0),
            output=Decimal("1E-10"),
            source="gateway",
            price_list="a list",
            price_date="2026-11-03",
        ),
        pending=True,
        role="leaf",
        job=True,
        failure=Failure(type="RateLimitError", message="slow down", status_code=429, code="rate_limit_exceeded"),
        attribution=Attribution(
            user="user-1",
            session_id="session-1",
            trace_id="a trace",
            trace_name="checkout",
            span_name="step",
            generation_name="ask",
            parent_span_id="00f067aa0ba902b7",
            metadata={"team": "search", "number": 7, "ratio": 0.5, "flag": False},
        ),
        span_parent=SpanParent("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"),
        content=Content(input={"messages": []}, output={"completion": "yes"}, size_bytes=40),
    )


def with_metadata(metadata: dict[str, object], **more: object) -> Generation:
    """A record with this metadata."""
    return replace(generation(), attribution=Attribution(metadata=metadata, **more))  # type: ignore[arg-type]


def journal_in(state: Path, **bounds: object) -> FileJournal:
    """A journal below *state*."""
    return FileJournal(Directory(state, DESTINATION), bounds=Bounds(**bounds))  # type: ignore[arg-type]


def roundtrip(record: Generation) -> Generation:
    """A record, written as a line and read again."""
    decoded = decode(encode(record).line[:-1])
    assert decoded is not None
    return decoded.generation


def restarted(state: Path, **bounds: object) -> FileJournal:
    """A journal of the next process; whoever held the last one does not."""
    journal = journal_in(state, **bounds)
    journal.tend()
    return journal


def drain(journal: FileJournal, limit: int = 50) -> list[str]:
    """Send all that waits; the ids, in order."""
    ids: list[str] = []
    while entries := journal.read(limit):
        journal.freeze(entries)
        ids += ids_of(entries)
        journal.acknowledge(entries)
    return ids


def sent_after(state: Path) -> list[str]:
    """What the next process sends."""
    journal = journal_in(state)
    sent: list[str] = []
    while True:
        journal.tend()
        if not (more := drain(journal)):
            break
        sent += more
    counts = journal.counts()
    assert counts == Stats(recorded=len(sent), acknowledged=len(sent))
    assert files(state) == files(state, ".ack") == []
    return sent


def ids_of(entries: Sequence[Entry]) -> list[str]:
    """The ids of their records."""
    return [entry.generation.id for entry in entries]


def ids(*numbers: int) -> list[str]:
    """The ids of some `generation`s."""
    return [f"gen-{number}" for number in numbers]


def files(state: Path, suffix: str = ".seg") -> list[Path]:
    """The files of the journal below *state*, oldest first."""
    return sorted((state / DESTINATION).glob(f"*{suffix}"))


def lines(state: Path) -> list[bytes]:
    """The good lines of all segments."""
    found = [line for path in files(state) for line in path.read_bytes().split(b"\n")]
    return [line for line in found if body_in(line) is not None]


def bytes_below(path: Path) -> bytes:
    """All there is: names and contents."""
    return b"\n".join(
        os.fsencode(each) + b"\n" + (each.read_bytes() if each.is_file() else b"") for each in sorted(path.rglob("*"))
    )


def open_files(path: Path) -> list[str]:
    """What this process has open below *path*."""
    numbers = os.listdir("/proc/self/fd")
    targets = [os.path.realpath(f"/proc/self/fd/{number}") for number in numbers]
    return sorted(target for target in targets if target.startswith(str(path)))


def wait_until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Fail if *condition* does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


PRELUDE = """
import os, signal, sys, threading, time
from dataclasses import replace
from pathlib import Path
from tests.journal.samples import *
state = Path(sys.argv[1])
def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())
"""


def program(code: str, state: Path) -> "subprocess.Popen[str]":
    """Another process that runs *code* with a `state` directory."""
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(code), str(state)],
        # Python 3.12 warns of every fork of a process with threads.
        env={**os.environ, "PYTHONPATH": paths, "PYTHONWARNINGS": "ignore::DeprecationWarning"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run(code: str, state: Path) -> str:
    """Run *code* to its end, however it ends; what it said."""
    with program(code, state) as process:
        said, _ = process.communicate(timeout=120)
    return said


def kill(process: "subprocess.Popen[str]") -> None:
    """End a process by SIGKILL."""
    process.kill()
    process.communicate(timeout=60)
