"""The model server, one event loop for all that is async, and who waits until every library has said everything."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from .model_server import ModelServer


@pytest.fixture(scope="session")
def server() -> Iterator[ModelServer]:
    """One server; `begin` opens new books."""
    with ModelServer() as running:
        yield running


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    """One loop: LangChain and LiteLLM keep clients that belong to the loop on which they were used first."""
    gc.collect()
    gc.freeze()  # what the libraries consist of; a collection is then quick
    with asyncio.Runner() as running:
        yield running
    gc.unfreeze()
