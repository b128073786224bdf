"""Paid work that goes on after its call is one record for the one who created it, whichever processes look at it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import openai
import pytest

from ramp_tracing.cli._pending import jobs_of
from ramp_tracing.testing import FakeRamp

from .job_server import JobServer, names
from .provider import Provider

pytestmark = pytest.mark.timeout(240)  # three processes after one another, on a crowded machine

ROOT = Path(__file__).parents[2]
KNOWN = sorted(name for name in names() if hasattr(openai.OpenAI, "videos") or not name.startswith("video"))
TOKENS = {"resp": (10, 5), "batch": (1000, 500), "video": (None, None)}


@pytest.fixture
def ramp() -> Iterator[FakeRamp]:
    with FakeRamp() as running:
        yield running


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(JobServer()) as running:
        yield running


@pytest.fixture
def start(ramp: FakeRamp, provider: Provider, tmp_path: Path) -> Any:
    """Starts a process that does what it is told."""

    def started(*actions: str, state: str = "state") -> "subprocess.Popen[str]":
        environ = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")]),
            "PYTHONWARNINGS": "ignore::DeprecationWarning",  # openai's videos
            "RAMP_API_KEY": "ramp-key",
            "RAMP_BASE_URL": ramp.url,
            "RAMP_TRACING_STATE_DIR": str(tmp_path / state),
        }
        command = [sys.executable, "-m", "tests.integrations.job_server", provider.base_url, *actions]
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, env=environ, **pipes)

    return started


def ended(*processes: "subprocess.Popen[str]", code: int = 0) -> None:
    """Let processes go on that wait, and wait until they end."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [code] * len(processes) == [process.wait(120) for process in processes]
    for process in processes:
        process.communicate()


def ready(process: "subprocess.Popen[str]") -> "subprocess.Popen[str]":
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def facts(attributes: Mapping[str, object]) -> tuple[object, ...]:
    names = ("user.id", "trace.metadata.team", "ramp.usage.pending", "gen_ai.response.finish_reason")
    counts = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    return (*(attributes.get(name) for name in (*names, *counts)), attributes["span.level"])


def ledger(ramp: FakeRamp) -> dict[str, tuple[object, ...]]:
    """What Ramp holds in the end, by id."""
    return {str(each.attributes["gen_ai.response.id"]): facts(each.attributes) for each in ramp.generations}


def settled(name: str, *, user: str = "ada", team: str = "create") -> tuple[object, ...]:
    kind, _, ending, _ = name.split("_")
    failed = ending == "failed"
    tokens = (None, None) if failed else TOKENS[kind]
    return (user, team, None, ending, *tokens, "ERROR" if failed else "DEFAULT")


SETTLED = {name: settled(name) for name in KNOWN}
PENDING = dict.fromkeys(KNOWN, ("ada", "create", True, None, None, None, "DEFAULT"))


def test_polled_by_the_one_who_created_them(start: Any, ramp: FakeRamp, tmp_path: Path) -> None:
    """Nothing is left to be seen."""
    ended(start("create", "poll"))
    assert ledger(ramp) == SETTLED
    assert jobs_of(str(tmp_path / "state")) == ()


def test_polled_by_nobody_and_then_by_others(start: Any, ramp: FakeRamp, tmp_path: Path) -> None:
    """They are pending, and listed, until somebody looks; the one that created them is gone, and it is for that one."""
    ended(start("create"))
    assert ledger(ramp) == PENDING
    listed = jobs_of(str(tmp_path / "state"))
    assert sorted(job.id for job in listed) == KNOWN
    assert {job.model for job in listed} <= {"gpt-4o-2024-08-06", "sora-2"}
    assert all(0 <= job.age_seconds < 600 for job in listed)
    ended(start("poll"))
    assert ledger(ramp) == SETTLED
    assert jobs_of(str(tmp_path / "state")) == ()
    sent = len(ramp.requests)
    ended(start("poll"))
    assert len(ramp.requests) == sent


def test_polled_by_two_processes_at_once(start: Any, ramp: FakeRamp, tmp_path: Path) -> None:
    """While the one that created them looks too."""
    creator = ready(start("create", "wait", "poll"))
    others = [ready(start("wait", "poll")) for _ in range(2)]
    ended(creator, *others)
    assert ledger(ramp) == SETTLED
    assert jobs_of(str(tmp_path / "state")) == ()


def test_the_one_that_created_them_was_killed(start: Any, ramp: FakeRamp) -> None:
    """What it had not sent is sent when their ends have been, and does not come last."""
    poller = ready(start("wait", "poll"))
    ramp.answer_with(503)
    ended(start("create", "die"), code=9)
    ramp.answer_with(200)
    ended(poller)
    ended(start())
    assert ledger(ramp) == SETTLED


def test_polled_on_another_machine(start: Any, ramp: FakeRamp) -> None:
    """It cannot know who created them: the record is that of who asks, under the same id, from the job's beginning."""
    ended(start("poll", state="elsewhere"))
    assert ledger(ramp) == {name: settled(name, user="poller", team="poll") for name in KNOWN}
    assert {each.start for each in ramp.generations} == {1767225600 * 10**9}
