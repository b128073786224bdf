"""`python -m tests.faults`: the runs that take longer than a test may. Exit status 0 if everything is as it must be."""

import argparse
import importlib.util
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from .chaos import chaos, spared
from .exits import STATES as EXIT_STATES
from .exits import exit_seconds_in
from .flushes import STATES as FLUSH_STATES
from .flushes import flush_in
from .prefork import prefork
from .run import run
from .table import TABLE
from .tables import TITLES, head, outcome_row, row
from .verdict import Outcome

AT_A_TIME: Final = 2
"""Rows that run at the same time: more would measure each other."""

Given = TypeVar("Given")
Found = TypeVar("Found")


def in_pairs(measure: Callable[[Given], Found], rows: Iterable[Given]) -> Iterable[tuple[Given, Found]]:
    """Measure each row, some at the same time; in their order."""
    rows = list(rows)
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield from zip(rows, pool.map(measure, rows), strict=True)


def show_faults(words: argparse.Namespace) -> bool:
    """Each fault alone, and then one restart."""
    chosen = [fault for fault in TABLE if not words.names or any(word in fault.name for word in words.names)]
    for fault in chosen:
        if not fault.may_run:
            print(f"not run here, because it may not mount: {fault.name}")
    print(head(TITLES))
    passed = True
    for fault, outcome in in_pairs(run, (fault for fault in chosen if fault.may_run)):
        passed = _show(fault.name, outcome) and passed
    return passed


def show_exits(words: argparse.Namespace) -> bool:
    """How long the end takes in each state of the receiver."""
    print(head(("receiver", "exit s", "at most", "")))
    passed = True
    for name, seconds in in_pairs(exit_seconds_in, EXIT_STATES):
        limit = EXIT_STATES[name].max_seconds
        passed = passed and seconds <= limit
        print(row((name, f"{seconds:.2f}", limit, "ok" if seconds <= limit else "too long")), flush=True)
    return passed


def show_flushes(words: argparse.Namespace) -> bool:
    """What flush(1) says in each state of the receiver."""
    print(head(("receiver", "flush(1)", "after s", "taken of 50", "")))
    passed = True
    for name, flushed in in_pairs(flush_in, FLUSH_STATES):
        right = flushed.is_honest and flushed.is_in_time
        passed = passed and right
        verdict = "ok" if right else "wrong"
        print(row((name, flushed.said, f"{flushed.seconds:.2f}", flushed.taken, verdict)), flush=True)
    return passed


def show_chaos(words: argparse.Namespace) -> bool:
    """All processes killed, half of the answers bad, one restart."""
    print(head(TITLES))
    outcome = chaos(words.records, words.processes, longest_bad_run=7, restart_seconds=words.seconds)
    return _show(f"chaos, {words.processes} killed", outcome)


def show_spared(words: argparse.Namespace) -> bool:
    """The receiver is well: what is sent again although it need not be."""
    print(head(TITLES))
    killed = _show("well, 16 killed", spared(16, "sigkill"))
    return _show("well, 16 ended", spared(16, "normal")) and killed


def show_prefork(words: argparse.Namespace) -> bool:
    """gunicorn, if it is there."""
    if importlib.util.find_spec("gunicorn") is None:
        print("gunicorn is not installed")
        return False
    print(head(TITLES))
    return _show("gunicorn, one worker killed", prefork())


def show_all(words: argparse.Namespace) -> bool:
    """Everything but chaos, a table each."""
    passed = True
    for show in (show_faults, show_spared, show_exits, show_flushes, show_prefork):
        print(f"\n{show.__doc__}\n")
        passed = show(words) and passed
    return passed


def _show(name: str, outcome: Outcome) -> bool:
    print(outcome_row(name, outcome), flush=True)
    return not outcome.reasons


COMMANDS: Final[Mapping[str, Callable[[argparse.Namespace], bool]]] = {
    "all": show_all,
    "faults": show_faults,
    "exits": show_exits,
    "flushes": show_flushes,
    "chaos": show_chaos,
    "spared": show_spared,
    "prefork": show_prefork,
}


def main() -> int:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("names", nargs="*", help="faults: only those with one of these words in their name")
    parser.add_argument("--records", type=int, default=100_000, help="chaos: in total")
    parser.add_argument("--processes", type=int, default=20, help="chaos: at the same time")
    parser.add_argument("--seconds", type=float, default=1_200, help="chaos: for the restart")
    words = parser.parse_args()
    return 0 if COMMANDS[words.command](words) else 1


if __name__ == "__main__":
    sys.exit(main())
