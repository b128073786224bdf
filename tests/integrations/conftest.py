"""What the tests of the integrations share."""

from collections.abc import Iterator
from typing import Any

import pytest

from ramp_tracing._state import state

pytest.register_assert_rewrite("tests.integrations.scenarios")

from .colours import Async, Colour, Sync  # noqa: E402
from .provider import Provider  # noqa: E402


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    """A provider that every scenario tells anew what to answer."""
    with Provider() as running:
        yield running


@pytest.fixture(params=[Sync, Async], ids=lambda kind: kind.name)
def colour(request: pytest.FixtureRequest, provider: Provider) -> Iterator[Colour]:
    """The sync client, then the async one."""
    kind: Any = request.param
    colour = kind(provider)
    yield colour
    colour.close()


@pytest.fixture(autouse=True)
def own_ids() -> Iterator[None]:
    """Response ids and jobs of another test are not known, as servers here use the same ones; no stream stays open."""
    before = state.seen, state.jobs
    state.seen, state.jobs = type(state.seen)(), {}
    yield
    left, state.seen, state.jobs = dict(state.open_streams), *before
    assert {} == left
