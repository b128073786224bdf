"""The demo with a page: real calls, moved to the times of the simulation, in a local receiver."""

import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress

import ramp_tracing

from ...local._entry import read_entry
from ...local._ledger import Ledger
from ...testing import FakeRamp, ReceivedSpan
from .._spend import print_spend
from ._callers import AT, available_libraries, call_company
from ._company import fortnight
from ._local import FLUSH_SECONDS, KEY, options_for
from ._models import model_servers

MOVED: Final = (f"trace.metadata.{AT}", f"span.metadata.{AT}")

PORTION: Final = 500


def run_fortnight(console: Console, *, port: int, open_page: bool) -> bool:
    """
    Make the calls of a fortnight, show the spend, and serve the page until interrupted.

    Args:
        console: Where to write.
        port: Where the page is; 0 takes a free port.
        open_page: Whether to show it in a browser.

    Returns:
        Whether every call arrived, and arrived once.
    """
    from ...local._serving import Serving, serve  # loads the web server

    with TemporaryDirectory(prefix="ramp-tracing-demo-") as folder:
        spans, made = _received(console, state_dir=folder)
        calls = [each for each in spans if each.is_generation]
        print_spend(console, calls)
        console.print(f"{made} calls made, {len(calls)} received.", style="bold")
        database = Path(folder) / "ledger.sqlite3"
        keep(spans, database)

        def announce(url: str) -> None:
            console.print(f"The AI-spend page: {url} (Ctrl-C ends it)", style="bold", soft_wrap=True)

        with suppress(KeyboardInterrupt):
            serve(Serving(database=database, port=port), announce=announce, open_page=open_page)
    return len(calls) == made


def keep(spans: Sequence[ReceivedSpan], database: Path) -> None:
    """Write *spans* down as if they had been received when the simulation says."""
    moved = moved_to_their_times(spans)
    entries = [read_entry(each) for each in moved if each.is_generation]
    with Ledger(database) as ledger:
        ledger.keep([], [each for each in moved if not each.is_generation])
        for begin in range(0, len(entries), PORTION):
            ledger.keep(entries[begin : begin + PORTION])


def moved_to_their_times(spans: Sequence[ReceivedSpan]) -> list[ReceivedSpan]:
    """The spans at the times of the simulation, which they carry in their metadata; they lose that key."""
    moved: list[ReceivedSpan] = []
    for each in spans:
        at = each.attributes.get(MOVED[0])
        attributes = {key: value for key, value in each.attributes.items() if key not in MOVED}
        start = at if isinstance(at, int) else each.start
        moved.append(replace(each, start=start, end=start + each.end - each.start, attributes=attributes))
    return moved


def _received(console: Console, *, state_dir: str) -> tuple[list[ReceivedSpan], int]:
    occasions = fortnight(datetime.now(UTC), available=available_libraries())
    with model_servers() as servers, FakeRamp(api_key=KEY) as ramp, _calm_environment():
        ramp_tracing.instrument(**options_for(servers, ramp), state_dir=state_dir)
        try:
            with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
                task = progress.add_task("Two weeks of a small company", total=len(occasions))
                made = call_company(occasions, servers.base_urls, report=lambda: progress.advance(task))
                ramp_tracing.flush(FLUSH_SECONDS)
        finally:
            ramp_tracing.uninstrument()
        return ramp.spans, made


@contextmanager
def _calm_environment() -> Generator[None]:
    """LiteLLM neither asks the network for prices nor a proxy for this machine."""
    wanted: Mapping[str, Any] = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_PROXY": "127.0.0.1"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
