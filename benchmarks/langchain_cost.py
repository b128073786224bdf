"""
What the LangChain handler costs, and that its state stays small: `python benchmarks/langchain_cost.py`.

First the handler alone: what LangChain tells of one call is told to it again and again. Then the same model, which
answers at once, is asked without callbacks, with one that does nothing, and with ours, in turns, which adds what
LangChain does for any callback. Of many short rounds the least is taken. Records go to a sink that counts them: the
journal has a benchmark of its own. Then 20,000 calls are made, of which 1 % are cancelled, and the resident memory is
looked at on the way.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

SOURCE: Final = Path(__file__).resolve().parents[1] / "src"
sys.path.insert(0, str(SOURCE))
os.environ.setdefault("LANGSMITH_TRACING", "false")

from langchain_core.callbacks import BaseCallbackHandler  # noqa: E402
from langchain_core.language_models import FakeListChatModel  # noqa: E402
from langchain_core.outputs import ChatResult  # noqa: E402
from langchain_core.runnables import RunnableLambda  # noqa: E402

import ramp_tracing  # noqa: E402
from ramp_tracing._layers import around_here, run_of  # noqa: E402
from ramp_tracing._record import Generation  # noqa: E402
from ramp_tracing._state import state  # noqa: E402

ROUNDS: Final = 300
CALLS: Final = 10
LONG_RUN: Final = 20_000
BUDGET_MICROSECONDS: Final = 60


class Counting:
    """A sink that lets go of what it is given."""

    keeps_content = True

    def __init__(self) -> None:
        self.count = 0

    def record(self, generation: Generation) -> None:
        self.count += 1

    def stand_by(self) -> None:
        pass

    def defer(self, finish: Callable[[], None]) -> None:
        finish()


class Nothing(BaseCallbackHandler):
    """The least that a callback can be."""

    run_inline = True

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        pass

    def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        pass


class Slow(FakeListChatModel):
    """A model that is never waited for."""

    async def _agenerate(self, *args: Any, **kwargs: Any) -> ChatResult:
        await asyncio.sleep(60)
        return self._generate(*args, **kwargs)


class Quick(FakeListChatModel):
    """A model that answers at once, in async code too: the default would take a thread for it."""

    async def _agenerate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return self._generate(messages, stop, None, **kwargs)


class Claimed(Quick):
    """A model whose call a client below records."""

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        around_here()
        return super()._generate(messages, stop, None, **kwargs)

    async def _agenerate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        around_here()
        return FakeListChatModel._generate(self, messages, stop, None, **kwargs)


class Listening(Nothing):
    """Keeps what LangChain tells of a call."""

    def __init__(self) -> None:
        self.told: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {}

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.told["start"] = args, kwargs

    def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        self.told["end"] = args, kwargs


def handler_alone(model: Any, *, claimed: bool) -> float:
    """Microseconds that our own methods take for a call."""
    listening, handler = Listening(), ramp_tracing.RampCallbackHandler(team="search")
    model.invoke("Hi", {"callbacks": [listening]})
    (asked, asked_by_name), (answered, answered_by_name) = listening.told["start"], listening.told["end"]
    least = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(CALLS):
            handler.on_chat_model_start(*asked, **asked_by_name)
            if claimed:
                run_of(asked_by_name["run_id"]).claimed = True
            handler.on_llm_end(*answered, **answered_by_name)
        least = min(least, time.perf_counter() - started)
    return least / CALLS * 1e6


def sync_round(runnable: Any, config: Any) -> float:
    """CPU microseconds for a call."""
    started = time.thread_time()
    for _ in range(CALLS):
        runnable.invoke("Hi", config)
    return (time.thread_time() - started) / CALLS * 1e6


async def _async_round(runnable: Any, config: Any) -> float:
    started = time.process_time()
    for _ in range(CALLS):
        await runnable.ainvoke("Hi", config)
    return (time.process_time() - started) / CALLS * 1e6


def compare(what: str, runnable: Any, one_round: Callable[[Any, Any], float]) -> None:
    """Print a row: what a call takes, and what callbacks add."""
    configs: dict[str, Any] = {
        "none": {},
        "empty": {"callbacks": [Nothing()]},
        "ours": {"callbacks": [ramp_tracing.RampCallbackHandler(team="search")]},
    }
    least = dict.fromkeys(configs, float("inf"))
    for _ in range(ROUNDS):
        for name, config in configs.items():
            least[name] = min(least[name], one_round(runnable, config))
    added = least["ours"] - least["none"]
    print(
        f"{what:30} a call {least['none']:6.1f} µs, with an empty callback {least['empty'] - least['none']:+6.1f}, "
        f"with ours {added:+6.1f} ({least['ours'] / least['none']:.2f} times)"
    )


def resident_mib() -> float:
    """Memory of this process; Linux only."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


async def long_run() -> None:
    """Print how many runs are open and how much memory is resident, every 2,000 calls."""
    config: Any = {"callbacks": [ramp_tracing.RampCallbackHandler()]}
    quick, slow = Quick(responses=["Hello."]), Slow(responses=["Hello."])
    for number in range(1, LONG_RUN + 1):
        if number % 100 == 0:
            cancelled = asyncio.create_task(slow.ainvoke("Hi", config))
            await asyncio.sleep(0)
            cancelled.cancel()
            await asyncio.gather(cancelled, return_exceptions=True)
        else:
            await quick.ainvoke("Hi", config)
        if number % 2_000 == 0:
            print(f"  {number:6,} calls: {len(state.runs)} runs open, {resident_mib():.1f} MiB")


def main() -> None:
    """Run both parts."""
    sink: Any = Counting()
    state.sink = sink
    quick, claimed = Quick(responses=["Hello."]), Claimed(responses=["Hello."])
    chain = RunnableLambda(lambda text: text) | quick
    for name, claimed_below in (("a client below records", True), ("the handler records", False)):
        alone = handler_alone(quick, claimed=claimed_below)
        verdict = "within" if alone <= BUDGET_MICROSECONDS else "over"
        print(f"the handler alone, {name}: {alone:.1f} µs, {verdict} its {BUDGET_MICROSECONDS} µs")
    with asyncio.Runner() as runner:

        def async_round(runnable: Any, config: Any) -> float:
            return runner.run(_async_round(runnable, config))

        for name, each_round in (("sync", sync_round), ("async", async_round)):
            compare(f"{name}, a client below records", claimed, each_round)
            compare(f"{name}, the handler records", quick, each_round)
        compare("sync, a chain of two", chain, sync_round)
        print(f"{sink.count:,} records; now {LONG_RUN:,} calls, 1 % cancelled")
        runner.run(long_run())
    state.sink = None


if __name__ == "__main__":
    main()
