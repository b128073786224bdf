"""Runs every arrangement in a process of its own, and says what is not as it is without the other one."""

import json
import multiprocessing
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .arrangements import ALONE, ARRANGEMENTS, Arrangement
from .program import write_report

RUN_SECONDS: Final = 300

FRESH: Final = multiprocessing.get_context("forkserver")
FRESH.set_forkserver_preload(["tests.integrations.colours", "tests.neighbours.program"])

Report = Mapping[str, Any]
"""What `program` writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """
    Something that is not as it is without the other one.

    Attributes:
        arrangement: Where.
        side: ``ours``, ``theirs``, ``seen`` (by the application), ``headers``, ``traced``, ``warned``.
        call: Of which call; empty if of none in particular.
        expected: As it is without.
        found: As it is.
    """

    arrangement: str
    side: str
    call: str
    expected: Any
    found: Any


def run(name: str, arrangement: str) -> Report:
    """
    One run, in a process that has imported the client and nothing of anybody's.

    Raises:
        AssertionError: It did not get to its end.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        process = FRESH.Process(target=write_report, args=(name, arrangement, str(path)))
        process.start()
        process.join(RUN_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
        assert path.exists(), f"{name}, {arrangement}: exit status {process.exitcode}"
        report: Report = json.loads(path.read_text())
    return report


def arrangements_of(can_stop: bool, among: Mapping[str, Arrangement]) -> list[str]:
    """Those that are possible."""
    return [name for name, each in among.items() if can_stop or "-theirs" not in each.steps]


def differences(arrangement: str, reports: Mapping[str, Report]) -> Iterator[Difference]:
    """What is not as it should be in one arrangement; *reports* hold it and those of `ALONE`."""
    how, report = ARRANGEMENTS[arrangement], reports[arrangement]
    alone = reports["ours, asking" if how.asks else "ours"]
    for call, found in report["calls"].items():
        for side, expected in _expected(how, call, alone, reports).items():
            if expected != found[side]:
                yield Difference(arrangement=arrangement, side=side, call=call, expected=expected, found=found[side])
    for side, expected in (("headers", alone["headers"]), ("traced", []), ("warned", [])):
        if expected != report[side] and how.ours:
            yield Difference(arrangement=arrangement, side=side, call="", expected=expected, found=report[side])


def _expected(how: Arrangement, call: str, alone: Report, reports: Mapping[str, Report]) -> dict[str, Any]:
    theirs = reports[how.without_us]["calls"][call]
    ours = alone["calls"][call]["ours"] if how.ours else []
    return {"ours": ours, "theirs": theirs["theirs"], "seen": theirs["seen"]}


def changed_by_them(reports: Mapping[str, Report]) -> list[str]:
    """The calls of which the application gets something else as soon as they are there, without us."""
    bare, theirs = reports["neither"]["calls"], reports["theirs"]["calls"]
    return [call for call, each in theirs.items() if each["seen"] != bare[call]["seen"]]


def changed_by_us(reports: Mapping[str, Report]) -> list[str]:
    """The same for us."""
    bare = reports["neither"]["calls"]
    runs = [reports[name]["calls"] for name in ALONE if ALONE[name].ours]
    return [call for calls in runs for call, each in calls.items() if each["seen"] != bare[call]["seen"]]
