"""What the application itself says of its records: the other side of the comparison."""

import os
import re
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final

MARKER: Final = re.compile(r"mk\.[a-z0-9]+\.\d+\.")
"""Which record of which thread or process: ``mk.main.17.``; the last dot keeps 1 apart from 17."""

VARIABLE: Final = "FAULTS_LEDGER"
"""The environment variable that names the file."""


def marker(label: str, number: int) -> str:
    """The name of a record, which travels as its session id."""
    return f"mk.{label}.{number}."


def label_of(name: str) -> str:
    """Which thread or process a marker is of."""
    return name.split(".")[1]


def input_tokens_of(name: str) -> int:
    """What the record with this marker says that it used."""
    return int(name.split(".")[2]) + 1


def cost_of(name: str) -> Decimal:
    """What it says that it cost."""
    return Decimal(input_tokens_of(name)) / 1_000_000


class Ledger:
    """
    Lines in a file. They survive every end of the process, and processes may share it.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def returned(self, name: str) -> None:
        """The call that this marker names has returned to the application: from here on it must not be lost."""
        self.note(name)

    def note(self, *words: object) -> None:
        """Write a line."""
        os.write(self._descriptor, " ".join(str(word) for word in words).encode() + b"\n")

    def last_statement(self) -> None:
        """What follows is the end of the process, by the clock that all processes of a machine share."""
        self.note("last", time.monotonic())


class Pages:
    """
    The ledger as the runner reads it.

    Args:
        path: The file; it may be missing.
    """

    def __init__(self, path: Path) -> None:
        self._lines = path.read_text().splitlines() if path.exists() else []

    @property
    def returned(self) -> set[str]:
        """The markers of the calls that returned."""
        return {line for line in self._lines if MARKER.fullmatch(line)}

    def noted(self, word: str) -> Iterator[list[str]]:
        """What stands behind *word*, line by line."""
        for line in self._lines:
            first, *rest = line.split(" ")
            if first == word:
                yield rest

    @property
    def last_statements(self) -> list[float]:
        """When each application that came to that had nothing left to do, the earlier ones first."""
        return [float(words[0]) for words in self.noted("last")]
