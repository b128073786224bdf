"""
Where recorded traffic is found. It belongs to others and is not a part of this repository.

It is looked for where ``RAMP_TRACING_SHARED`` says, else in ``shared`` beside the repository.
"""

import csv
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

REPOSITORY: Final = Path(__file__).parents[2]
CASSETTES: Final = Path(os.environ.get("RAMP_TRACING_SHARED") or REPOSITORY.parent / "shared") / "cassettes"
INDEX: Final = CASSETTES / "INDEX.csv"

PROPERTY: Final = "recorded call"
"""Under this name a test says what it has replayed, for the table: endpoint, provider, colour."""

COST: Final = "reported cost"
"""Under this name a test says what a span cost that reports it: provider, amount, whether by the user's own key."""


@dataclass(frozen=True, slots=True)
class Row:
    """
    One recorded call: a row of the index.

    Attributes:
        file: The cassette.
        interaction: Which of its calls.
        provider: Who was called.
        endpoint: ``chat.completions``, ``images.edit``…; empty for one that generates nothing.
        fields: The whole row; an empty text is unknown.
    """

    file: str
    interaction: int
    provider: str
    endpoint: str
    fields: dict[str, str]

    @property
    def name(self) -> str:
        """How a test of this row is called."""
        return f"{self.file}[{self.interaction}]"

    @property
    def is_stream(self) -> bool:
        """Whether the answer came as a stream."""
        return self.fields["stream"] == "y"

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.fields["status"])

    def __getitem__(self, field: str) -> str:
        return self.fields[field]

    def replay(self) -> AbstractContextManager[Any]:
        """A server on loopback that gives this answer; see the module it comes from for what it has."""
        served: AbstractContextManager[Any] = replay_server().serve(CASSETTES / self.file, only=[self.interaction])
        return served


@cache
def rows() -> tuple[Row, ...]:
    """Every row of the index; none where there is no index."""
    return tuple(_rows()) if INDEX.exists() else ()


def _rows() -> Iterator[Row]:
    with INDEX.open(encoding="utf-8", newline="") as index:
        for fields in csv.DictReader(index):
            yield Row(fields["file"], int(fields["interaction"]), fields["provider"], fields["endpoint"], fields)


@cache
def replay_server() -> ModuleType:
    """The module that serves a cassette; it stands beside them."""
    spec = importlib.util.spec_from_file_location("replay_server", CASSETTES / "replay_server.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module
