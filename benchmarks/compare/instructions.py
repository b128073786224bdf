"""
Instructions of the caller's thread, counted by valgrind: the same whatever else the machine does.

Each contender runs under callgrind, ours several times, which counts nothing until it is told to. First the process is
the bare application, then it is switched on; both play a scenario in turns of N calls, and the counts are dumped after
each. An empty turn shows what the dump itself costs. A contender adds the difference of its own two medians, less that
of the baseline, which is switched on to nothing: the clients of the second half are others, and stand elsewhere in
memory. Two processes beside each other differ by more than is looked for.

What an allocation costs the C library depends on all that it was asked for before: 25,000 instructions more or less for
a chat, in a process to which nothing has happened. So each is counted at what one costs the bare application.
"""

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Final

from .callgrind import Tally, median_of, tally_of
from .contenders import CONTENDERS, OURS
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

LAYOUTS: Final = 3
"""
How often ours are counted, with other hashes each time, so that everything stands elsewhere in memory: the median is
believed.

Where two of the types that a call looks at share a place in the interpreter's cache, that is thousands of instructions,
and nothing that anybody has done. A peer takes a hundred times as many.
"""

BARE: Final = "bare"
ON: Final = "on"
"""The two states of a process."""

DUMP: Final = re.compile(r"^desc: Trigger: dump (?P<scenario>.+)\*(?P<state>bare|on)\*(?P<acts>\d+)$", re.M)

Turn = tuple[str, str, int]
"""Scenario, state, acts."""

Sample = dict[str, float]
"""State → instructions."""

Samples = dict[str, list[Sample]]
"""Contender → what was counted of it in a scenario, once for each layout of memory."""

Counts = dict[str, dict[str, float]]
"""Scenario → contender → instructions of the caller's thread for a call."""


def installed() -> bool:
    """Whether there is a valgrind."""
    return shutil.which("callgrind_control") is not None


def count(names: Sequence[str], place: Place) -> Counts:
    """Count for every contender, every scenario that is to be counted."""
    found: dict[str, Samples] = {scenario: {} for scenario, row in SCENARIOS.items() if row.counted}
    libraries = sorted({SCENARIOS[scenario].library for scenario in found}, reverse=True)
    jobs = [
        (name, library, layout)
        for library in libraries
        for name in names
        if library in CONTENDERS[name].libraries
        for layout in range(LAYOUTS if name in OURS else 1)
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for (name, *_), counted in zip(jobs, pool.map(lambda job: counted_of(*job, place), jobs), strict=True):
            for scenario, sample in counted.items():
                found[scenario].setdefault(name, []).append(sample)
    return {scenario: beside_baseline(samples) for scenario, samples in found.items()}


def beside_baseline(samples: Samples) -> dict[str, float]:
    """Contender → what the bare application takes, and what the contender adds to it in processes of its own."""
    differences = {name: [each[ON] - each[BARE] for each in of_name if ON in each] for name, of_name in samples.items()}
    more = {name: median(of_name) for name, of_name in differences.items() if of_name}
    bare = median([sample[BARE] for sample in samples.get("baseline", [])] or [0.0])
    return {name: bare + added - more.get("baseline", 0.0) for name, added in more.items()}


def counted_of(name: str, library: Library, layout: int, place: Place) -> dict[str, Sample]:
    """Scenario → what a call takes, for one contender, and one of the ways in which memory may be laid out."""
    dumps = place.folder / f"callgrind-{slug(name)}-{library}-{layout}"
    before = ["env", f"PYTHONHASHSEED={layout}", *CALLGRIND, f"--callgrind-out-file={dumps}"]
    played = {scenario: row.counted for scenario, row in SCENARIOS.items() if row.library == library and row.counted}
    with suppress(RuntimeError), Worker(name, library, place, before, bare=True) as worker:
        for scenario, acts in played.items():  # else the second half would have it easier than the first
            worker.ask("warm", scenario, acts)
        for scenario, acts in played.items():
            worker.ask(f"count {BARE}", scenario, acts)
        worker.ask("switch on", "", 0)
        for scenario, acts in played.items():
            worker.ask(f"count {ON}", scenario, acts)
    return per_call(tallies_of(dumps))


def per_call(tallies: Iterable[tuple[Turn, Tally]]) -> dict[str, Sample]:
    """
    The medians of what turns cost more than an empty one, for a call.

    Not the least: a thread that sends, and takes its turn with the interpreter's lock, is paid for as well.
    """
    turns: dict[Turn, list[Tally]] = {}
    for turn, tally in tallies:
        turns.setdefault(turn, []).append(tally)
    made: dict[str, dict[str, Tally]] = {}
    for (scenario, state, acts), found in turns.items():
        if acts:
            whole = median_of(found).less(median_of(turns[scenario, state, 0]))
            made.setdefault(scenario, {})[state] = whole.over(acts * SCENARIOS[scenario].calls)
    return {
        scenario: {state: tally.at(of_state[BARE].price) for state, tally in of_state.items()}
        for scenario, of_state in made.items()
    }


def tallies_of(dumps: Path) -> Iterator[tuple[Turn, Tally]]:
    """Turn → what the first thread took, from the dumps of one process."""
    for file in dumps.parent.glob(f"{dumps.name}.*-01"):
        dump = file.read_text(encoding="utf-8")
        found = DUMP.search(dump)
        if found is not None:
            yield (found["scenario"], found["state"], int(found["acts"])), tally_of(dump)


def added(counts: Mapping[str, float], contender: str) -> float | None:
    """What a contender adds to the baseline in one scenario; `None` where either was not counted."""
    if contender not in counts or "baseline" not in counts:
        return None
    return counts[contender] - counts["baseline"]
