"""
What switching on costs a process that starts: ``python -m benchmarks.compare.starting CONTENDER LIBRARY RECEIVER``.

In a fresh process: the application imports its library, then the contender is imported and switched on, then the first
call is made. Prints one line of JSON.
"""

import json
import sys
import threading
import time
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from statistics import median
from subprocess import run
from types import ModuleType
from typing import Any, Final, cast

from .contenders import CONTENDERS
from .scenarios import SCENARIOS, Library
from .timing import Say
from .worker import peak_kib, resident_kib
from .workers import Place

MILLISECOND: Final = 1e3
KIB_OF_MIB: Final = 1_024
SECONDS: Final = 120

HEAVY: Final = (
    "genai_prices",
    "google.protobuf",
    "langchain",
    "langchain_core",
    "litellm",
    "openai",
    "opentelemetry.sdk",
)
"""What the application's thread is not to load unless the application imports it."""


class Witness:
    """Notes what is imported on the application's thread, from the moment that it is in ``sys.meta_path``."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find nothing."""
        if threading.current_thread() is threading.main_thread():
            self.names.append(name)
        return None


def start(name: str, library: Library, receiver: str) -> dict[str, object]:
    """
    Do it here.

    Returns:
        ``milliseconds`` of CPU, ``MiB`` of resident memory and ``modules`` for importing and switching on; ``first
        call`` in milliseconds of this thread's CPU; and which ``heavy`` packages were loaded on this thread until then.
    """
    act = SCENARIOS["chat"].prepare() if library == "openai" else SCENARIOS[library].prepare()
    witness = Witness()
    sys.meta_path.insert(0, cast("Any", witness))
    cpu, memory, modules = time.process_time(), resident_kib(), len(sys.modules)
    CONTENDERS[name].switch_on(library, receiver)
    figures: dict[str, object] = {
        "milliseconds": (time.process_time() - cpu) * MILLISECOND,
        "MiB": (resident_kib() - memory) / KIB_OF_MIB,
        "modules": len(sys.modules) - modules,
    }
    before = time.thread_time()
    act()
    figures["first call"] = (time.thread_time() - before) * MILLISECOND
    loaded = [each for each in HEAVY if any(f"{found}.".startswith(f"{each}.") for found in witness.names)]
    return {**figures, "heavy": loaded, "peak MiB": peak_kib() / KIB_OF_MIB}


def fresh(name: str, library: Library, place: Place) -> dict[str, Any]:
    """Do it in a process of its own."""
    command = [str(place.python(name)), "-m", "benchmarks.compare.starting", name, library, place.address(name)]
    environ = place.environ(name)
    done = run(command, env=environ, capture_output=True, text=True, timeout=SECONDS, check=True)
    return cast("dict[str, Any]", json.loads(done.stdout.splitlines()[-1]))


def take_turns(names: Sequence[str], rounds: int, place: Place, say: Say) -> dict[str, dict[str, Any]]:
    """Contender → figures, the median of *rounds* processes of each; the first round warms the disk's cache."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        say(f"starting processes, round {turn} of {rounds}")
        for name in names:
            figures = fresh(name, "openai", place)
            if turn:
                found[name].append(figures)
    return {name: middle(each) for name, each in found.items()}


def middle(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The median of each number; what is no number is taken from the last."""
    return {
        name: median(each[name] for each in rounds) if isinstance(value, int | float) else value
        for name, value in rounds[-1].items()
    }


if __name__ == "__main__":
    found = start(*sys.argv[1:])  # type: ignore[arg-type]
    print(json.dumps(found))
