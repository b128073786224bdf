"""One client for all tests of normalizers: making one reads the certificates of the machine, which takes a while."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def client() -> Iterator[Any]:
    """The openai client of this lane; the tests that need it are skipped where there is none."""
    openai = pytest.importorskip("openai")
    with openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="test", max_retries=0) as made:
        yield made
