"""The conductor's side: starting the receiver and the workers, and telling them what to do."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, cast

from .contenders import CONTENDERS
from .scenarios import Library

ROOT: Final = Path(__file__).resolve().parents[2]
SECONDS: Final = 20

QUIET: Final = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOG": "ERROR",
    "OPENAI_API_KEY": "none",
    "PYTHONHASHSEED": "0",
    "TRACELOOP_TELEMETRY": "false",
}
"""Nobody asks the network for anything, and everybody's dictionaries are in the same order."""

NOT_INHERITED: Final = (
    "OTEL_", "RAMP_", "LANGSMITH_", "LANGCHAIN_", "LANGFUSE_", "LOGFIRE_", "PYTHONDONTWRITEBYTECODE",
)  # fmt: skip
"""The last because peers are installed with their compiled files: so must ours be written, which run from source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    Where things are.

    Attributes:
        environments: The folder with an environment ``bench-NAME`` for each contender.
        folder: For what processes write: journals, dumps, standard error.
        receiver: Address of the receiver.
    """

    environments: Path
    folder: Path
    receiver: str

    def python(self, contender: str) -> Path:
        """The interpreter that a contender runs in."""
        return self.environments / f"bench-{CONTENDERS[contender].environment}" / "bin" / "python"

    def environ(self, contender: str) -> dict[str, str]:
        """The variables that a contender sees; each has a journal of its own."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
        journal = self.folder / "journals" / slug(contender)
        return {
            **inherited,
            **QUIET,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
            "RAMP_TRACING_STATE_DIR": str(journal),
        }

    def address(self, contender: str) -> str:
        """Where a contender exports to."""
        return f"{self.receiver}/{slug(contender)}"


def slug(contender: str) -> str:
    """A contender's name as part of a path."""
    return contender.replace(", ", "-").replace(" ", "-")


class Worker:
    """
    A process of one contender, as long as its ``with`` block.

    Args:
        name: A row of `CONTENDERS`.
        library: What is watched.
        place: Where things are.
        before: The beginning of its command: valgrind, if it is to run under it.
        bare: It is to be the bare application until it is told to ``switch on``.
    """

    def __init__(
        self, name: str, library: Library, place: Place, before: Sequence[str] = (), *, bare: bool = False
    ) -> None:
        self.name, self._place = name, place
        self._log = place.folder / f"{slug(name)}-{library}.log"
        module = [str(place.python(name)), "-m", "benchmarks.compare.worker"]
        self._command = [*before, *module, name, library, place.address(name)]
        self._command += ["bare"] if bare else []

    def __enter__(self) -> "Worker":
        """Start it."""
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._place.environ(self.name),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        """Let it end by itself, and end it if it does not."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def tell(self, do: str, scenario: str, acts: int) -> None:
        """Give it an order."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, "scenario": scenario, "acts": acts}) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, float]:
        """
        What it has to say to the order before.

        Raises:
            RuntimeError: It has ended; the message is the end of its standard error.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} has ended: {self._log.read_text(encoding='utf-8')[-2_000:]}")
        return cast("dict[str, float]", json.loads(line))

    def ask(self, do: str, scenario: str, acts: int) -> dict[str, float]:
        """Give it an order, and wait."""
        self.tell(do, scenario, acts)
        return self.answer()


def order(receiver: str, what: str) -> dict[str, int]:
    """Tell the receiver: ``silence``, ``speak``, or ``counts/CONTENDER``."""
    request = urllib.request.Request(f"{receiver}/-/{what}", data=b"", method="POST")
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        return cast("dict[str, int]", json.load(answer))


def counts(place: Place, contender: str) -> dict[str, int]:
    """What the receiver got from a contender since it was asked before."""
    return order(place.receiver, f"counts/{slug(contender)}")


@contextmanager
def receiving(environments: Path) -> Iterator[Place]:
    """A receiver and an empty folder, as long as the block lasts."""
    command = [sys.executable, "-m", "benchmarks.compare.receiver"]
    with TemporaryDirectory(prefix="bench-") as folder:
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            yield Place(environments=environments, folder=Path(folder), receiver=f"http://127.0.0.1:{port}")


@contextmanager
def working(names: Sequence[str], library: Library, place: Place) -> Iterator[Mapping[str, Worker]]:
    """A worker for each contender that can watch *library*."""
    with ExitStack() as stack:
        able = [name for name in names if library in CONTENDERS[name].libraries]
        yield {name: stack.enter_context(Worker(name, library, place)) for name in able}
