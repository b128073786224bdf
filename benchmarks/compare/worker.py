"""
One contender: a process that does as the conductor tells it, one line of JSON for each order and for each answer.

Runs in the contender's environment, so it imports nothing of this package's.
"""

import gc
import json
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import fmean, median
from typing import Any, Final

from .contenders import CONTENDERS, Flush
from .scenarios import ALL, Act, Library

MICROSECOND: Final = 1_000
KIB: Final = 1_024
PAUSE_SECONDS: Final = 0.001
WARMING: Final = 5


class Worker:
    """
    The application of one contender, instrumented.

    Args:
        name: A row of `CONTENDERS`.
        library: What is watched.
        receiver: Where the contender exports to.
    """

    def __init__(self, name: str, library: Library, receiver: str) -> None:
        self._name, self._library, self._receiver = name, library, receiver
        self._flush: Flush = lambda: None
        self._acts: dict[str, Act] = {}

    def switch_on(self, *_: object) -> dict[str, float]:
        """Until then it is the bare application; from now on it has other clients."""
        self._flush = CONTENDERS[self._name].switch_on(self._library, self._receiver)
        self._acts.clear()
        return {}

    def warm(self, scenario: str, acts: int) -> dict[str, float]:
        """Make *acts* acts before anything is counted; the next have clients of their own, as after `switch_on`."""
        act = self.act(scenario)
        for _ in range(acts):
            act()
        self._acts.clear()
        return {}

    def act(self, scenario: str) -> Act:
        """The act of a scenario, with its client made and warm."""
        if scenario not in self._acts:
            row = ALL[scenario]
            act = self._acts[scenario] = row.prepare()
            for _ in range(max(3, row.round // 2)):  # the interpreter has adapted its code by then
                act()
            self._flush()
            gc.collect()
            gc.freeze()
        return self._acts[scenario]

    def time(self, scenario: str, acts: int) -> dict[str, float]:
        """
        Time a round.

        Returns:
            ``caller``: CPU µs of this thread for a call, the median. ``wall``: µs of the fastest quarter. ``all``: CPU
            µs of all threads for a call until everything is delivered.
        """
        act, calls = self.act(scenario), ALL[scenario].calls
        gc.collect()
        caller: list[float] = []
        wall: list[float] = []
        began = time.process_time_ns()
        for _ in range(acts):
            entered, started = time.thread_time_ns(), time.perf_counter_ns()
            act()
            wall.append(time.perf_counter_ns() - started)
            caller.append(time.thread_time_ns() - entered)
        self._flush()
        whole = (time.process_time_ns() - began) / acts
        quickest = fmean(sorted(wall)[: max(1, acts // 4)])
        figures = {"caller": median(caller), "wall": quickest, "all": whole}
        return {name: figure / calls / MICROSECOND for name, figure in figures.items()}

    def count(self, scenario: str, acts: int, state: str) -> dict[str, float]:
        """
        Make *acts* acts, or none, in each turn under valgrind, which dumps its counts after it.

        Returns:
            Nothing: the conductor reads the dumps.
        """
        act = self.act(scenario)
        gc.disable()  # it runs every some hundred calls, and would be a matter of luck
        for _ in range(WARMING):  # without it, memory is laid out otherwise
            act()
        self._flush()
        valgrind("--instr=on")
        for made in (0, acts, acts, 0, acts, acts, acts):
            valgrind("--zero")
            for _ in range(made):
                act()
            valgrind(f"--dump={scenario}*{state}*{made}")
            self._flush()
        valgrind("--instr=off")
        gc.enable()
        return {}

    def allocate(self, scenario: str, acts: int) -> dict[str, float]:
        """
        Trace the memory of one act, and of what *acts* acts leave behind.

        Returns:
            In KiB. ``peak``: allocated at most during an act, the least of three. ``held``: what is left when it
            returns, before delivery. ``kept``: what a call leaves after delivery.
        """
        act, calls = self.act(scenario), ALL[scenario].calls
        tracemalloc.start()
        act()
        self._flush()
        peaks: list[float] = []
        held: list[float] = []
        for _ in range(3):
            gc.collect()
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            act()
            now, most = tracemalloc.get_traced_memory()
            held.append((now - before) / KIB)
            peaks.append((most - before) / KIB)
            self._flush()
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(acts):
            act()
        self._flush()
        gc.collect()
        kept = (tracemalloc.get_traced_memory()[0] - before) / KIB / acts / calls
        tracemalloc.stop()
        return {"peak": min(peaks), "held": min(held), "kept": kept}

    def many(self, scenario: str, acts: int) -> dict[str, float]:
        """
        Make many calls without waiting for their delivery.

        Returns:
            ``seconds``, and resident memory in KiB: ``before``, ``after``, and ``peak``.
        """
        act, before = self.act(scenario), resident_kib()
        started = time.perf_counter()
        for _ in range(acts):
            act()
        seconds = time.perf_counter() - started
        return {"before": before, "seconds": seconds, "after": resident_kib(), "peak": peak_kib()}

    def wait(self, scenario: str, acts: int) -> dict[str, float]:
        """
        Time acts one by one, with a pause between them as an application has.

        Returns:
            Wall µs until it returns, or until the moment that the act says: ``p50``, ``p99``, ``worst``.
        """
        act = self.act(scenario)
        taken: list[float] = []
        for _ in range(acts):
            time.sleep(PAUSE_SECONDS)
            started = time.perf_counter()
            moment = act()
            taken.append((moment if isinstance(moment, float) else time.perf_counter()) - started)
        taken.sort()
        places = {"p50": acts // 2, "p99": acts * 99 // 100, "worst": acts - 1}
        return {name: taken[place] * 1e6 for name, place in places.items()}

    def flush(self, _scenario: str, _acts: int) -> dict[str, float]:
        """Wait until everything is delivered."""
        started = time.perf_counter()
        self._flush()
        seconds = time.perf_counter() - started
        gc.collect()
        return {"seconds": seconds, "after": resident_kib(), "peak": peak_kib()}


def valgrind(order: str) -> None:
    """Tell the valgrind that runs this process."""
    command = ["callgrind_control", order, str(os.getpid())]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def resident_kib() -> float:
    """What this process has in memory now. Linux."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / KIB


def peak_kib() -> float:
    """The most that this process has had in memory. Linux."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return float(status.partition("VmHWM:")[2].split()[0])


def main(name: str, library: Library, receiver: str, state: str = "on") -> None:
    """
    Do what standard input says until it ends. What contenders print goes to standard error.

    Args:
        name: As in `Worker`.
        library: As in `Worker`.
        receiver: As in `Worker`.
        state: ``bare`` if it is to be switched on when it is told to, and not now.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    worker = Worker(name, library, receiver)
    if state == "on":
        worker.switch_on()
    orders: Mapping[str, Callable[[str, int], dict[str, Any]]] = {
        "time": worker.time,
        "switch on": worker.switch_on,
        "warm": worker.warm,
        "count bare": partial(worker.count, state="bare"),
        "count on": partial(worker.count, state="on"),
        "allocate": worker.allocate,
        "many": worker.many,
        "wait": worker.wait,
        "flush": worker.flush,
    }
    for line in sys.stdin:
        order = json.loads(line)
        answer = orders[order["do"]](order["scenario"], order["acts"])
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]
