"""
Instructions of the caller's thread, counted by valgrind: the same whatever else the machine does.

Each contender runs once under callgrind, which counts nothing until it is told to. First the process is the bare
application, then it is switched on; both play a scenario in turns of N calls, and the counts are dumped after each. An
empty turn shows what the dump itself costs. A contender adds the difference of its own two medians, less that of the
baseline, which is switched on to nothing: the clients of the second half are others, and stand elsewhere in memory.
Two processes beside each other differ by more than is looked for.
"""

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Final

from .contenders import CONTENDERS
from .scenarios import SCENARIOS, Library
from .workers import Place, Worker, slug

AT_ONCE: Final = 2
"""How many contenders are counted side by side: counts do not depend on what else runs."""

STEADY: Final = ["env", "PYTHONMALLOC=malloc", "GLIBC_TUNABLES=glibc.malloc.tcache_count=65535"]
"""
What memory costs is to be the same in each call. In Python's own allocator it depends on whether a page happens to be
full: up to 300,000 instructions of a stream of 400 chunks, which has 320 million. The C library's takes and gives back
from a list, in as many steps; which is long enough for all that a call frees.
"""

CALLGRIND: Final = [
    *STEADY, "valgrind", "-q", "--tool=callgrind", "--separate-threads=yes", "--instr-atstart=no", "--dump-line=no"
]  # fmt: skip

BARE: Final = "bare"
ON: Final = "on"
"""The two states of a process."""

DUMP: Final = re.compile(
    r"^desc: Trigger: dump (?P<scenario>.+)\*(?P<state>bare|on)\*(?P<acts>\d+)$.*?^totals: (?P<count>\d+)", re.M | re.S
)

Turn = tuple[str, str, int]
"""Scenario, state, acts."""

Counts = dict[str, dict[str, float]]
"""Scenario → contender → instructions of the caller's thread for a call."""


def installed() -> bool:
    """Whether there is a valgrind."""
    return shutil.which("callgrind_control") is not None


def count(names: Sequence[str], place: Place) -> Counts:
    """Count for every contender, every scenario that is to be counted."""
    found: Counts = {scenario: {} for scenario, row in SCENARIOS.items() if row.counted}
    libraries = sorted({SCENARIOS[scenario].library for scenario in found}, reverse=True)
    jobs = [(name, library) for library in libraries for name in names if library in CONTENDERS[name].libraries]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for (name, _), counted in zip(jobs, pool.map(lambda job: counted_of(*job, place), jobs), strict=True):
            for (scenario, state), instructions in counted.items():
                found[scenario][f"{name}*{state}"] = instructions
    return {scenario: beside_baseline(counts) for scenario, counts in found.items()}


def beside_baseline(counts: Mapping[str, float]) -> dict[str, float]:
    """Contender → what the bare application takes, and what the contender adds to it in a process of its own."""
    bare, switched = counts.get(f"baseline*{BARE}", 0.0), counts.get(f"baseline*{ON}", 0.0)
    names = [each.partition("*")[0] for each in counts if each.endswith(f"*{ON}")]
    more = {name: counts[f"{name}*{ON}"] - counts[f"{name}*{BARE}"] for name in names}
    return {name: bare + added - (switched - bare) for name, added in more.items()}


def counted_of(name: str, library: Library, place: Place) -> dict[tuple[str, str], float]:
    """(scenario, state) → instructions for a call, for one contender."""
    dumps = place.folder / f"callgrind-{slug(name)}-{library}"
    before = [*CALLGRIND, f"--callgrind-out-file={dumps}"]
    played = {scenario: row.counted for scenario, row in SCENARIOS.items() if row.library == library and row.counted}
    with suppress(RuntimeError), Worker(name, library, place, before, bare=True) as worker:
        for scenario, acts in played.items():
            worker.ask(f"count {BARE}", scenario, acts)
        worker.ask("switch on", "", 0)
        for scenario, acts in played.items():
            worker.ask(f"count {ON}", scenario, acts)
    return per_call(totals_of(dumps))


def per_call(totals: Iterable[tuple[Turn, int]]) -> dict[tuple[str, str], float]:
    """
    The medians of what turns cost more than an empty one, for a call.

    Not the least: a thread that sends, and takes its turn with the interpreter's lock, is paid for as well.
    """
    turns: dict[Turn, list[int]] = {}
    for turn, count in totals:
        turns.setdefault(turn, []).append(count)
    return {
        (scenario, state): (median(counts) - median(turns[scenario, state, 0])) / acts / SCENARIOS[scenario].calls
        for (scenario, state, acts), counts in turns.items()
        if acts
    }


def totals_of(dumps: Path) -> Iterator[tuple[Turn, int]]:
    """Turn → instructions of the first thread, from the dumps of one process."""
    for file in dumps.parent.glob(f"{dumps.name}.*-01"):
        found = DUMP.search(file.read_text(encoding="utf-8"))
        if found is not None:
            yield (found["scenario"], found["state"], int(found["acts"])), int(found["count"])


def added(counts: Mapping[str, float], contender: str) -> float | None:
    """What a contender adds to the baseline in one scenario; `None` where either was not counted."""
    if contender not in counts or "baseline" not in counts:
        return None
    return counts[contender] - counts["baseline"]
