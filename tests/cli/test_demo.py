"""`ramp-tracing demo`."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ramp_tracing.cli._app import build_app
from ramp_tracing.cli._demo._local import DemoRun, complaints_about
from ramp_tracing.cli._demo._models import ModelServers, model_servers
from ramp_tracing.cli._demo._steps import STEPS
from ramp_tracing.testing import FakeRamp, ReceivedSpan

SOURCE = Path(__file__).parents[2] / "src"


def run_demo(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, as a user does."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RAMP_", "OPENAI_"))}
    path = os.pathsep.join(filter(None, [str(SOURCE), inherited.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-m", "ramp_tracing.cli", "demo", *arguments],
        env={**inherited, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


class TestOnThisMachine:
    def test_shows_the_spend(self) -> None:
        """Every call arrives once, and is shown by model and by cost center, priced where a price is known."""
        done = run_demo()
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"{2 * len(STEPS)} calls made, {2 * len(STEPS)} received." in done.stdout
        assert "Spend by model" in done.stdout
        assert re.search(r"openai/gpt-4o-mini-2024-07-18 +│ +2 │ +│ +│ +824 │ +192 │ +0\.000239", done.stdout)
        assert re.search(r"anthropic/claude-sonnet-4\.5 +│ +2 │ +│ +│ +6,240 │ +930 │ +0\.032670", done.stdout)
        assert re.search(r"deepseek/deepseek-chat-v3\.1 +│ +2 │ +│ +│ +10,880 │ +142 │ +0\.002416", done.stdout)
        assert re.search(r"house-model-7b +│ +2 │ +│ +2 │ +440 │ +8 │ +- ", done.stdout)
        assert re.search(r"CC-1234 +│ +10 │", done.stdout)
        assert re.search(r"CC-2001 +│ +8 │ +4 │ +2 │", done.stdout)
        assert re.search(r"openai/gpt-4o-maxi +│ +2 │ +2 │ +│ +- │ +- │ +- ", done.stdout)
        assert "Calls without a known price: 2" in done.stdout
        assert done.stderr == ""

    def test_is_plain_text_in_a_file(self) -> None:
        """Without a terminal there are neither colours nor progress."""
        assert "\x1b" not in run_demo(FORCE_COLOR="", TERM="xterm-256color").stdout

    def test_does_not_use_the_configuration_of_the_user(self) -> None:
        """Switched-off recording, a broken configuration and a proxy that is away do not disturb it."""
        done = run_demo(
            RAMP_API_KEY="ramp_real_key",
            RAMP_BASE_URL="not a url",
            RAMP_HEADERS="{",
            RAMP_PRIVACY_MODE="perhaps",
            RAMP_TRACING_DISABLED="1",
            OPENAI_BASE_URL="http://127.0.0.1:9/",
            HTTP_PROXY="http://127.0.0.1:9",
            HTTPS_PROXY="http://127.0.0.1:9",
            ALL_PROXY="http://127.0.0.1:9",
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def test_needs_the_client(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the openai client it says how to install it."""
        monkeypatch.setitem(sys.modules, "openai", None)
        result = CliRunner().invoke(build_app(), ["demo"])
        assert result.exit_code == 2
        assert "pip install 'ramp-tracing[openai]'" in result.stdout


def run_live(servers: ModelServers, ramp: FakeRamp) -> subprocess.CompletedProcess[str]:
    """The demo with keys for both, against servers of this test."""
    openai_url = servers.base_urls["openai"]
    keys = {"OPENAI_API_KEY": "sk-live", "RAMP_API_KEY": "ramp_live"}
    return run_demo("--live", **keys, OPENAI_BASE_URL=openai_url, RAMP_BASE_URL=ramp.url)


class TestAgainstRealEndpoints:
    def test_refuses_without_keys(self) -> None:
        """It calls nobody without both keys, and says which are missing."""
        done = run_demo("--live", OPENAI_API_KEY="sk-none")
        assert done.returncode == 1
        assert "please set RAMP_API_KEY first" in done.stdout

    def test_calls_and_reports(self) -> None:
        """With keys it makes its calls where they say, and exits with 0 if every one was acknowledged."""
        with model_servers() as servers, FakeRamp(api_key="ramp_live") as ramp:
            done = run_live(servers, ramp)
            assert done.returncode == 0, done.stdout + done.stderr
            assert "6 calls made, 6 acknowledged by Ramp." in done.stdout
            assert "gpt-4o-mini-2024-07-18" in done.stdout
            assert len(ramp.generations) == servers.call_count == 6

    def test_fails_where_ramp_refuses(self) -> None:
        """If Ramp acknowledges nothing, it says so and does not exit with 0."""
        with model_servers() as servers, FakeRamp(api_key="another") as ramp:
            done = run_live(servers, ramp)
        assert done.returncode == 1
        assert "6 calls made, 0 acknowledged by Ramp." in done.stdout


def record(call: str) -> ReceivedSpan:
    """A record of the call of that name."""
    return ReceivedSpan(
        name="x", trace_id="a" * 32, span_id="b" * 16, start=0, end=1, attributes={"trace.metadata.call": call}
    )


@pytest.mark.parametrize(
    ("received", "change", "complaints"),
    [
        (("a", "b"), {}, []),
        (("a",), {}, ["b: 0 records instead of one", "2 calls were made, but 1 arrived"]),
        (("a", "b", "b"), {}, ["b: 2 records instead of one", "2 calls were made, but 3 arrived"]),
        (("a", "b", "c"), {}, ["c: a record of a call that was not made", "2 calls were made, but 3 arrived"]),
        (("a", "b"), {"answered": 3}, ["2 calls were made, but the providers saw 3"]),
        (("a", "b"), {"acknowledged": False}, ["not everything was acknowledged in time"]),
    ],
    ids=["fine", "lost", "doubled", "stranger", "more calls", "unsent"],
)
def test_notices_what_is_wrong(received: Sequence[str], change: dict[str, Any], complaints: list[str]) -> None:
    """A call that was lost, doubled, invented or not acknowledged is a complaint."""
    fine = DemoRun(made=["a", "b"], answered=2, received=[record(each) for each in received], acknowledged=True)
    run = replace(fine, **change)
    assert complaints_about(run) == complaints
