"""The conductor: ``python -m benchmarks.compare quick``. docs/benchmarks.md says how to read what it writes."""

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

from . import delivering, goals, growing, instructions, own, report, starting, timing, waiting
from .contenders import CONTENDERS, OURS
from .scenarios import SCENARIOS
from .workers import ROOT, Place, receiving

BESIDE_PEERS: Final = tuple(name for name in CONTENDERS if name not in report.UNTIMED)
OURS_TIMED: Final = tuple(name for name in OURS if name not in report.UNTIMED)
PAIR: Final = ("baseline", "ours")

Found = Mapping[str, Any]
"""Part of the results → what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """
    What a part needs.

    Attributes:
        place: Where things are.
        chosen: The contenders that were asked for; none for all that the part is made for.
        rounds: How many rounds were asked for; `None` for as many as the part is made for.
    """

    place: Place
    chosen: Sequence[str]
    rounds: int | None

    def of(self, names: Sequence[str]) -> list[str]:
        """Those of *names* that were asked for and are installed, and what they are compared with."""
        asked_for = [name for name in names if not self.chosen or name in {"baseline", *self.chosen}]
        missing = [name for name in asked_for if not self.place.python(name).exists()]
        if missing:
            say(f"without an environment, and left out: {', '.join(missing)}")
        return [name for name in asked_for if name not in missing]


def say(what: str) -> None:
    """Tell whoever waits."""
    print(f"{datetime.now(UTC):%H:%M:%S} {what}", file=sys.stderr, flush=True)


def count(names: Sequence[str]) -> Callable[[Run], Found]:
    """Instructions, where there is a valgrind."""

    def part(run: Run) -> Found:
        if not instructions.installed():
            say("valgrind is not installed: no instructions are counted")
            return {}
        say("counting instructions")
        return {"instructions": instructions.count(run.of(names), run.place)}

    return part


def time_calls(names: Sequence[str], rounds: int) -> Callable[[Run], Found]:
    """Time, memory and bytes of calls."""
    return lambda run: {"timing": timing.take_turns(run.of(names), run.rounds or rounds, run.place, say)}


def start(names: Sequence[str], rounds: int) -> Callable[[Run], Found]:
    """What switching on costs."""
    return lambda run: {"starting": starting.take_turns(run.of(names), run.rounds or rounds, run.place, say)}


def deliver(run: Run) -> Found:
    """What arrives."""
    return delivering.deliver(run.of(BESIDE_PEERS), run.place, say)


def stay_small(run: Run) -> Found:
    """Whether memory grows."""
    return {"long run": delivering.stay_small(run.of(PAIR), run.place, say)}


def grow(run: Run) -> Found:
    """How cost grows."""
    return growing.grow(run.place, say)


def wait(run: Run) -> Found:
    """What the background thread does to the application."""
    return {"latency": waiting.wait(run.of(PAIR), run.place, say)}


def drain(run: Run) -> Found:
    """Our own delivery."""
    return {"own": own.deliver(run.place, say)}


PARTS: Final[dict[str, Callable[[Run], Found]]] = {
    "instructions": count(tuple(CONTENDERS)),
    "calls": time_calls(BESIDE_PEERS, rounds=10),
    "start": start(BESIDE_PEERS, rounds=5),
    "delivery": deliver,
    "memory": stay_small,
    "drain": drain,
    "latency": wait,
    "growth": grow,
    "quick-instructions": count(tuple(name for name in OURS if name != "baseline again")),
    "quick-calls": time_calls(OURS_TIMED, rounds=4),
    "quick-start": start(OURS_TIMED, rounds=2),
}
"""Name → part."""

FORMS: Final = {
    "quick": ("quick-instructions", "quick-calls", "quick-start"),
    "full": ("calls", "start", "delivery", "memory", "drain", "latency", "instructions"),
}
"""Several parts by one name."""


def about(place: Place) -> dict[str, Any]:
    """When and where this was measured, and of what."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("model name")[2].partition("\n")[0].strip("\t: ")
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": commit(),
        "options": shlex.join(sys.argv[1:]),
        "Python": platform.python_version(),
        "machine": f"{os.cpu_count()} cores, {cpu}, {platform.platform()}",
        "load before (1, 5, 15 minutes)": ", ".join(f"{each:.1f}" for each in os.getloadavg()),
        "versions": {CONTENDERS[name].environment: versions(place, name) for name in CONTENDERS},
    }


def commit() -> str:
    """Of this checkout, if it is one."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


SHOWN: Final = {
    *("openai", "httpx", "pydantic", "langchain-core", "langchain-openai", "litellm", "opentelemetry-sdk"),
    *("langfuse", "logfire", "langsmith"),
}
SHOWN_ALSO: Final = ("openinference-instrumentation-", "opentelemetry-instrumentation-")


INSTALLED: Final = """
from importlib.metadata import distributions
for each in distributions():
    print(f"{each.name}=={each.version}")
"""


def versions(place: Place, contender: str) -> str:
    """What an environment has installed, of what matters; nothing if the environment is not there."""
    if not place.python(contender).exists():
        return ""
    done = subprocess.run([place.python(contender), "-c", INSTALLED], capture_output=True, text=True, check=True)
    lines = sorted(set(done.stdout.splitlines()))
    return ", ".join(line.replace("==", " ") for line in lines if shown(line))


def shown(line: str) -> bool:
    """Whether a line of what is installed is of interest."""
    return line.partition("==")[0] in SHOWN or line.startswith(SHOWN_ALSO)


def asked(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.compare", description=__doc__)
    parser.add_argument("parts", nargs="*", default=["quick"], help=f"{', '.join([*FORMS, *PARTS])}")
    parser.add_argument("--only", nargs="*", default=[], metavar="SCENARIO", help=f"of {', '.join(SCENARIOS)}")
    parser.add_argument("--contenders", nargs="*", default=[], metavar="NAME", help=f"of {', '.join(CONTENDERS)}")
    parser.add_argument("--rounds", type=int, help="of calls and of starts, instead of the usual number")
    parser.add_argument("--environments", type=Path, default=ROOT / ".nox", help="where bench-NAME are")
    parser.add_argument("--output", type=Path, default=ROOT / "test-output" / "bench", help="where results go")
    parser.add_argument("--keep", action="store_true", help="keep what an earlier run found of other parts")
    parser.add_argument("--publish", action="store_true", help="put the tables into docs/benchmarks.md")
    parser.add_argument("--strict", action="store_true", help="fail where a goal was not reached")
    return parser.parse_args(words)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run the parts that were asked for, one after another; write down after each what there is."""
    for scenario in [name for name in SCENARIOS if options.only and name not in options.only]:
        del SCENARIOS[scenario]
    began = time.monotonic()
    with receiving(options.environments) as place:
        results = before(options.output) if options.keep else {}
        results["about"] = about(place) | ({"parts kept from": results["about"]["date"]} if results else {})
        for name in [part for word in options.parts for part in FORMS.get(word, (word,))]:
            results |= PARTS[name](Run(place=place, chosen=options.contenders, rounds=options.rounds))
            results["about"]["took"] = f"{(time.monotonic() - began) / 60:.1f} minutes"
            results["about"]["load after"] = f"{os.getloadavg()[0]:.1f}"
            report.write(results, options.output)
            if options.publish:
                report.publish(results, ROOT / "docs" / "benchmarks.md")
    return results


def before(folder: Path) -> dict[str, Any]:
    """What an earlier run found."""
    file = folder / "results.json"
    return cast("dict[str, Any]", json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


def main(words: Sequence[str]) -> int:
    """
    Measure, print the goals, and write everything down.

    Returns:
        1 if a goal was not reached and this was asked to be strict.
    """
    options = asked(words)
    results = measure(options)
    print(report.goals(results))
    print(f"\nall tables: {options.output / 'results.md'}")
    return int(options.strict and any(verdict.word == "FAIL" for verdict in goals.judge(results)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
