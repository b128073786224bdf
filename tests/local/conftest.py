"""A receiver for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .receivers import Running, running


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path / "ledger.sqlite3") as started:
        yield started
