"""The model server, one event loop for all that is async, and who waits until every library has said everything."""

import asyncio
import gc
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Final

import pytest

from .model_server import ModelServer

NEEDED: Final = ("langchain", "langchain_anthropic", "langchain_litellm", "langchain_openai", "langgraph", "litellm")
"""What the session `langchain` installs; most of an application's environments have a part of it."""

collect_ignore_glob = [] if all(map(find_spec, NEEDED)) else ["test_*.py"]


@pytest.fixture(scope="session")
def server() -> Iterator[ModelServer]:
    """One server; `begin` opens new books."""
    with ModelServer() as running:
        yield running


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    """One loop: LangChain and LiteLLM keep clients that belong to the loop on which they were used first."""
    with asyncio.Runner() as running:
        yield running
    gc.unfreeze()
