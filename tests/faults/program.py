"""What an application does, as words that fit on a command line."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

Ending = Literal["normal", "exception", "thread_exception", "sigterm", "sigkill", "os_exit", "endless"]
"""How the process ends; ``endless`` goes on recording until somebody kills it."""

Way = Literal["plain", "threads", "asyncio", "fork", "fork_os_exit", "mp_fork", "mp_spawn", "pool"]
"""Where the records are made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """
    One application.

    Attributes:
        label: Goes into the markers of the main thread.
        records: How many the main thread makes, and each child where there are any.
        per_second: How fast; as fast as possible if `None`.
        way: Where they are made.
        ending: How the process ends.
        children: How many children or threads, where the way has any.
        busy_threads: Threads that compute all the time, and want the interpreter's lock.
        prompt_bytes: The size of each prompt.
        source: ``by_hand``, or the openai client against a model server on loopback.
        poison: A row of `poison.POISONS`, in the middle of the good ones; empty for none.
        trouble: A row of `troubles.TROUBLES`; empty for none.
        warm: Send a record first, with a receiver that is well, and wait until it has arrived.
        flush_seconds: At the end call flush with this; not at all if `None`.
        lingers: After all that stay until told to go on.
        options: For `ramp_tracing.instrument`.
    """

    label: str = "main"
    records: int = 50
    per_second: float | None = None
    way: Way = "plain"
    ending: Ending = "normal"
    children: int = 4
    busy_threads: int = 0
    prompt_bytes: int = 40
    source: Literal["by_hand", "openai"] = "by_hand"
    poison: str = ""
    trouble: str = ""
    warm: bool = False
    flush_seconds: float | None = None
    lingers: bool = False
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def as_text(self) -> str:
        """For the command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """From the command line."""
        return cls(**json.loads(text))


EXIT_STATUS: Mapping[Ending, int] = {"exception": 1, "sigterm": -15, "sigkill": -9, "endless": -9}
"""As `subprocess` says it; 0 for all others."""
