"""A receiver in its own process, a model server, and a browser that complains."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

import ramp_tracing
from ramp_tracing._fake_ramp import PATH
from ramp_tracing.cli._demo._models import model_servers

SOURCE: Final = Path(__file__).parents[2] / "src"

OUTPUT: Final = Path(__file__).parents[2] / "test-output" / "page"
"""Where screenshots go."""

FLAGS: Final = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]

PATIENCE_MS: Final = 45_000
"""For whatever the page is to show: a busy machine needs a while."""


@dataclass(slots=True)
class Served:
    """A receiver that runs, and how to make calls that it sees."""

    url: str
    base_urls: Any = field(repr=False)
    providers: Any = field(repr=False)

    def call(self, model: str = "gpt-4o", *, stream: bool = False, **attribution: str) -> None:
        """Make a real call with the real client, and wait until it was received."""
        import openai

        ramp_tracing.instrument(
            "openai", api_key="any", base_url=self.url + PATH, providers=self.providers, service_name="page"
        )
        try:
            more: Any = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
            client = openai.OpenAI(api_key="sk-none", base_url=self.base_urls["openai"], max_retries=0)
            with ramp_tracing.trace(**attribution):
                answer: Any = client.chat.completions.create(
                    model=model, messages=[{"role": "user", "content": "<b>Where</b> is my parcel?"}], **more
                )
                for _ in answer if stream else ():
                    pass
            assert ramp_tracing.flush(30)
        finally:
            ramp_tracing.uninstrument()


@contextmanager
def receiver(database: Path, *options: str) -> Iterator[str]:
    """`ramp-tracing serve` on a free port; its address."""
    command = [sys.executable, "-m", "ramp_tracing.cli", "serve", "--port", "0", "--database", str(database), *options]
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found
            yield found[0]
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """An empty receiver, and providers of models."""
    with receiver(tmp_path / "ledger.sqlite3") as url, model_servers() as servers:
        yield Served(url=url, base_urls=servers.base_urls, providers=servers.providers)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium as the system has it."""
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright: nox -s page installs it")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens an address; at the end nothing was written to the console and nothing was asked of another host."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def open_address(url: str, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        origin = re.match(r"https?://[^/]+", url)
        assert origin
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda asked: None if asked.url.startswith((origin[0], "data:", "blob:")) else complaints.append(asked.url),
        )
        page.goto(url)
        page.wait_for_selector("#live[data-state=live]")
        return page

    yield open_address
    for context in contexts:
        context.close()
    assert [] == complaints


@pytest.fixture
def screenshot() -> Callable[[Any, str], None]:
    """Keeps a picture of a page."""

    def keep(page: Any, name: str) -> None:
        OUTPUT.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=OUTPUT / f"{name}.png")

    return keep
