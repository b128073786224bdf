"""
Instructions of the caller's thread, counted by valgrind: the same whatever else the machine does.

Each contender runs once under callgrind, which counts nothing until it is told to. A scenario is played N and then 2 N
times, and the counts are dumped after each: what is constant cancels in their difference. Of two turns the lesser
counts: a background thread that holds the interpreter's lock makes this one ask for it again and again.
"""

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

from .contenders import CONTENDERS
from .scenarios import SCENARIOS, Library
from .workers import Place, Worker, slug

AT_ONCE: Final = 2
"""How many contenders are counted side by side: counts do not depend on what else runs."""

CALLGRIND: Final = ["valgrind", "-q", "--tool=callgrind", "--separate-threads=yes", "--instr-atstart=no"]

DUMP: Final = re.compile(
    r"^desc: Trigger: dump (?P<scenario>.+)\*(?P<factor>[12])$.*?^totals: (?P<count>\d+)", re.M | re.S
)

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
            for scenario, instructions in counted.items():
                found[scenario][name] = instructions
    return found


def counted_of(name: str, library: Library, place: Place) -> dict[str, float]:
    """Scenario → instructions, for one contender."""
    dumps = place.folder / f"callgrind-{slug(name)}-{library}"
    before = [*CALLGRIND, f"--callgrind-out-file={dumps}"]
    played = {scenario: row.counted for scenario, row in SCENARIOS.items() if row.library == library and row.counted}
    with suppress(RuntimeError), Worker(name, library, place, before) as worker:
        for scenario, acts in played.items():
            worker.ask("count", scenario, acts)
    totals = least(totals_of(dumps))
    return {
        scenario: (totals[scenario, 2] - totals[scenario, 1]) / acts / SCENARIOS[scenario].calls
        for scenario, acts in played.items()
        if (scenario, 2) in totals
    }


def least(totals: Iterable[tuple[tuple[str, int], int]]) -> dict[tuple[str, int], int]:
    """The least of what was counted more than once."""
    found: dict[tuple[str, int], int] = {}
    for what, count in totals:
        found[what] = min(count, found.get(what, count))
    return found


def totals_of(dumps: Path) -> Iterator[tuple[tuple[str, int], int]]:
    """(scenario, factor) → instructions of the first thread, from the dumps of one process."""
    for file in dumps.parent.glob(f"{dumps.name}.*-01"):
        found = DUMP.search(file.read_text(encoding="utf-8"))
        if found is not None:
            yield (found["scenario"], int(found["factor"])), int(found["count"])


def added(counts: Mapping[str, float], contender: str) -> float | None:
    """What a contender adds to the baseline in one scenario; `None` where either was not counted."""
    if contender not in counts or "baseline" not in counts:
        return None
    return counts[contender] - counts["baseline"]
