"""
How fast the page of `ramp-tracing serve` is with a million calls.

    python benchmarks/local_million.py [--calls 1000000] [--database FILE] [--json]

The calls are invented: 90 days of a company with 300 people, 12 models, 12 cost centers, 100,000 sessions and one
metadata key that is different for every call. A file that exists is used as it is. Times are those of whole HTTP
requests, asked one after the other; each is the median of several. Exit code 1 if one is over its bound.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ramp_tracing.local._entry import Entry
from ramp_tracing.local._ledger import Ledger
from ramp_tracing.local._mirror import Mirror

DAYS: Final = 90
DAY: Final = 86_400_000_000_000
END: Final = time.time_ns()

MODELS: Final = {
    "openai/gpt-4o": ("openai", 25_000, 100_000),
    "openai/gpt-4o-mini": ("openai", 1_500, 6_000),
    "openai/gpt-4.1": ("openai", 20_000, 80_000),
    "openai/gpt-4.1-mini": ("openai", 4_000, 16_000),
    "openai/o4-mini": ("openai", 11_000, 44_000),
    "openai/text-embedding-3-small": ("openai", 200, 0),
    "anthropic/claude-sonnet-4.5": ("anthropic", 30_000, 150_000),
    "anthropic/claude-haiku-4.5": ("anthropic", 10_000, 50_000),
    "deepseek/deepseek-chat-v3.1": ("deepseek", 2_000, 8_000),
    "google/gemini-2.5-pro": ("google", 12_500, 100_000),
    "google/gemini-2.5-flash": ("google", 3_000, 25_000),
    "house-model-7b": ("house", None, None),
}
"""Provider, and units of 10⁻¹⁰ US dollars for one token of input and of output; the last one has no price."""

BOUNDS: Final = {"first paint": 1_000.0, "filter change": 300.0}
"""Milliseconds."""

REPEATS: Final = 7

PAINT: Final = ("/api/keys", "/api/overview?since=30d", "/api/calls?limit=50")
"""What the page asks for before it is complete; the first one and the page's files come with it."""

CHANGES: Final = {
    "all of it": "/api/overview?by=model",
    "thirty days": "/api/overview?by=model&since=30d",
    "by cost center": "/api/overview?by=meta.cost_center",
    "by user": "/api/overview?by=user",
    "one model": "/api/overview?by=user&model=openai/gpt-4o",
    "one cost center, by model": "/api/overview?by=model&meta.cost_center=CC-1003",
    "two filters, seven days": "/api/overview?by=meta.feature&provider=anthropic&meta.cost_center=CC-1003&since=7d",
    "one session of 100,000": "/api/overview?by=model&session=session-77",
    "by session": "/api/overview?by=session",
    "the table": "/api/calls?limit=50&model=openai/gpt-4o",
    "the table, dearest first": "/api/calls?limit=50&order=cost",
    "values of a key": "/api/values?key=user",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--database", type=Path)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = asked.database or Path(folder) / "ledger.sqlite3"
        if not path.exists():
            started = time.monotonic()
            fill(path, asked.calls)
            print(f"{asked.calls:,} calls written in {time.monotonic() - started:.0f} s", file=sys.stderr)
        figures, ready_seconds = measure(path)
    show(figures, ready_seconds, as_json=asked.json)
    worst = max(value for name, value in figures.items() if name != "first paint")
    sys.exit(figures["first paint"] > BOUNDS["first paint"] or worst > BOUNDS["filter change"])


def fill(path: Path, count: int) -> None:
    with Ledger(path) as ledger:
        entries = invented(count)
        while portion := [entry for _, entry in zip(range(10_000), entries, strict=False)]:
            ledger.keep(portion)
        # What `serve` would have done meanwhile.
        mirror = Mirror(ledger)
        mirror.follow()
        mirror.close()


def invented(count: int) -> Iterator[Entry]:
    dice = random.Random(7)
    names = list(MODELS)
    for number in range(count):
        user = min(int(dice.expovariate(1 / 60)), 299)
        model = names[(user + min(int(dice.expovariate(0.6)), 11)) % 12]
        yield _entry(number, model, user, start=END - DAYS * DAY + number * DAYS * DAY // count, dice=dice)


def _entry(number: int, model: str, user: int, *, start: int, dice: random.Random) -> Entry:
    provider, of_input, of_output = MODELS[model]
    tokens, answer = dice.randrange(50, 12_000), dice.randrange(1, 1_500)
    failed = dice.random() < 0.01
    numbers = {} if failed else {"input_tokens": tokens, "output_tokens": answer, "total_tokens": tokens + answer}
    if not failed and of_input is not None and of_output is not None:
        costs = (tokens * of_input, answer * of_output)
        numbers |= {"input_cost": costs[0], "output_cost": costs[1], "cost": sum(costs)}
    if not failed:
        numbers |= {"cached_tokens": tokens // 3, "first_token": dice.randrange(100_000, 2_000_000)}
    return Entry(
        source="openrouter",
        event_id=f"gen-{number}",
        start=start,
        duration=dice.randrange(200_000_000, 30_000_000_000),
        failed=failed,
        texts={
            "model": model,
            "provider": provider,
            "user_id": f"user-{user}",
            "session_id": f"session-{number // 10}",
            "operation": "chat",
            "library": "openai",
            "service": "benchmark",
        },
        numbers=numbers,
        metadata={
            "cost_center": f"CC-{1000 + user % 12}",
            "feature": f"feature-{dice.randrange(20)}",
            "invoice": f"invoice-{number}",
        },
        attributes={"gen_ai.request.model": model},
    )


def measure(path: Path) -> tuple[dict[str, float], float]:
    command = [sys.executable, "-m", "ramp_tracing.cli", "serve", "--port", "0", "--database", str(path)]
    started = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().rpartition(" ")[2].strip()
            ask(url + "/api/keys")
            ready = time.monotonic() - started
            figures = {"first paint": sum(median(url + each) for each in PAINT)}
            return figures | {name: median(url + each) for name, each in CHANGES.items()}, ready
        finally:
            server.terminate()


def median(url: str) -> float:
    return statistics.median(ask(url) for _ in range(REPEATS))


def ask(url: str) -> float:
    """How many milliseconds an answer took."""
    started = time.perf_counter()
    with urllib.request.urlopen(url, timeout=300) as answer:
        answer.read()
    return (time.perf_counter() - started) * 1_000


def show(figures: dict[str, float], ready_seconds: float, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"ready_seconds": ready_seconds, "milliseconds": figures}))
        return
    print(f"ready for questions after {ready_seconds:.1f} s")
    for name, value in figures.items():
        print(f"{value:8.1f} ms  {name}")


if __name__ == "__main__":
    main()
