"""
What a long run leaves behind: nothing.

Here in short, and exactly; `benchmarks/langchain_memory.py` measures the memory of many more calls.
"""

import asyncio
import gc
from typing import Final

import pytest

pytest.importorskip("langchain_core", reason="LangChain is not installed")

from ramp_tracing import _layers
from ramp_tracing._layers import _runs
from ramp_tracing._state import state
from ramp_tracing.testing import capture_generations

from .long_run import MODEL, ask, sizes

CALLS: Final = 1_000


@pytest.mark.filterwarnings("ignore")
def test_nothing_is_left_of_many_calls() -> None:
    """Every call is a record, and nothing is kept of it when it is over; of a cancelled one until the next ones."""

    async def asking() -> None:
        for number in range(CALLS):
            await ask(number)
            assert 4 >= len(state.runs) >= len(state.lone_runs)

    with capture_generations() as generations:
        asyncio.run(asking())
        gc.collect()
        MODEL.invoke("go")  # what was cancelled last is noticed at the latest by the next call
        assert dict.fromkeys(sizes(), 0) == sizes()
    assert CALLS + 1 == len(generations)
    assert CALLS + 1 == len({each.id for each in generations})


@pytest.mark.filterwarnings("ignore")
def test_runs_without_an_end_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of whose end nothing tells make room for others, and are recorded then."""
    monkeypatch.setattr(_runs, "MAX_RUNS", 10)
    with capture_generations() as generations:
        kept = [MODEL.stream("go") for _ in range(50)]
        for each in kept:
            next(each)
        assert 10 >= len(state.runs)
        assert 40 <= len(generations)
        for each in kept:
            each.close()
        assert 0 == len(state.runs)
    _layers.release()
    assert 50 == len(generations)
