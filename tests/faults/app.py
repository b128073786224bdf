"""
The application, a process of its own: `python -m tests.faults.app PROGRAM`.

It says ``ready`` and waits for a line; then it does what the program says, and ends.
"""

import resource
import sys
import threading
import time

import ramp_tracing

from .calls import ledger, make_calls
from .endings import ENDINGS
from .program import Program
from .troubles import TROUBLES
from .ways import WAYS


def ready(program: Program) -> None:
    """Instrument this process."""
    ramp_tracing.instrument(**program.options)


def main(program: Program) -> None:
    """Run *program*."""
    TROUBLES[program.trouble].at_start()
    ready(program)
    TROUBLES[program.trouble].after_set_up()
    if program.warm:
        make_calls(program, "warm", 1)
        ledger().note("warm", ramp_tracing.flush(10))
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(program.busy_threads):
        threading.Thread(target=_compute, daemon=True).start()
    if program.records:
        WAYS[program.way](program)
    if program.flush_seconds is not None:
        _flush(program.flush_seconds)
    if program.lingers:
        sys.stdin.read()
    ledger().note("rss", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    ledger().last_statement()
    ENDINGS[program.ending]()


def _compute() -> None:
    while True:
        sum(range(1_000))


def _flush(seconds: float) -> None:
    started = time.monotonic()
    flushed = ramp_tracing.flush(seconds)
    ledger().note("flush", flushed, time.monotonic() - started)


if __name__ == "__main__":
    main(Program.from_text(sys.argv[1]))
