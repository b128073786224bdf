"""LiteLLM: programs that end at once, or are killed."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import uuid4

import pytest

import ramp_tracing
from ramp_tracing._loopback import Answer, Request, json_answer
from ramp_tracing.testing import FakeRamp

from .provider import Provider, completion

pytest.importorskip("litellm")

pytestmark = [pytest.mark.timeout(200), pytest.mark.filterwarnings("ignore")]

SECONDS: Final = 150
"""Importing LiteLLM alone takes some ten on a busy machine."""

EXITING: Final = """
import asyncio, warnings
warnings.simplefilter("ignore")
import ramp_tracing
{before}
import litellm
{after}
async def one():
    await litellm.acompletion(model="openai/gpt-4o", messages=[{{"role": "user", "content": "x"}}], {how})
async def main():
    for _ in range({rounds}):
        await asyncio.gather(*[one() for _ in range(50)])
asyncio.run(main())
"""

KILLED: Final = """
import os, signal, time, warnings
warnings.simplefilter("ignore")
import litellm, ramp_tracing
kind = type(ramp_tracing.litellm_logger)
speak = kind.log_success_event
def killed(*args, **kwargs):
    if has_spoken:
        speak(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
kind.log_success_event = killed
for has_spoken in (False, True):
    child = os.fork()
    if not child:
        ramp_tracing.instrument(state_dir={folder!r} + str(has_spoken), base_url={ramp!r}, api_key="test")
        litellm.completion(model="openai/gpt-4o", messages=[{{"role": "user", "content": "x"}}], {how})
        time.sleep(60)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
"""
"""Forked before anything has started a thread."""


def fresh(request: Request) -> Answer:
    """As a provider answers: with an id of its own, by which Ramp would take a second record for the first."""
    return json_answer(completion(id=f"chatcmpl-{uuid4().hex}"))


class Running(NamedTuple):
    """A program, and what Ramp gets from it."""

    program: "subprocess.Popen[bytes]"
    ramp: FakeRamp
    folder: Path

    def wait(self) -> None:
        """Until it has ended as it should."""
        assert 0 == self.program.wait(SECONDS), (self.folder / "log").read_text()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Running]]:
    """All of them at once: most of their time is LiteLLM's import."""
    with ExitStack() as stack:
        how = f'api_base={stack.enter_context(Provider(fresh)).base_url!r}, api_key="x"'
        programs = {}
        for name, rounds in (("instrument first", 10), ("litellm first", 2), ("killed", 0)):
            ramp = stack.enter_context(FakeRamp(api_key="test"))
            folder = tmp_path_factory.mktemp("end")
            options = {"api_key": "test", "base_url": ramp.url, "state_dir": str(folder), "exit_timeout_seconds": 20}
            start = f"ramp_tracing.instrument(**{options!r})"
            before, after = (start, "") if name == "instrument first" else ("", start)
            text = EXITING.format(before=before, after=after, how=how, rounds=rounds)
            if name == "killed":
                text = KILLED.format(folder=str(folder / "state"), ramp=ramp.url, how=how)
            programs[name] = Running(stack.enter_context(started(text, folder)), ramp, folder)
        try:
            yield programs
        finally:
            for each in programs.values():
                each.program.kill()


def started(text: str, folder: Path) -> "subprocess.Popen[bytes]":
    environment = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONPATH": os.pathsep.join(sys.path), "PATH": ""}
    with (folder / "log").open("wb") as log:
        return subprocess.Popen([sys.executable, "-c", text], env=environment, stdout=log, stderr=log)


@pytest.mark.parametrize(("name", "count"), [("instrument first", 500), ("litellm first", 100)])
def test_immediate_exit(name: str, count: int, running: Mapping[str, Running]) -> None:
    """A program that ends at once after so many async calls has recorded them all, whatever was imported first."""
    running[name].wait()
    generations = running[name].ramp.generations
    assert count == len(generations)
    assert count == len({each.attributes["gen_ai.response.id"] for each in generations})


def test_killed(running: Mapping[str, Running]) -> None:
    """
    A call that has returned is one record, though the process is killed before LiteLLM speaks, or right after.

    It is sent after the restart.
    """
    killed = running["killed"]
    killed.wait()
    for number, has_spoken in enumerate((False, True), 1):
        options: Any = {"state_dir": f"{killed.folder / 'state'}{has_spoken}"}
        ramp_tracing.instrument("openai", api_key="test", base_url=killed.ramp.url, **options)
        try:
            killed.ramp.wait_for(number, 60)
            assert ramp_tracing.flush(30)
        finally:
            ramp_tracing.uninstrument()
    usage = "gen_ai.usage."
    names = ("ramp.library", f"{usage}input_tokens", f"{usage}output_tokens")
    said = [tuple(each.attributes[name] for name in names) for each in killed.ramp.generations]
    assert [("litellm", 10, 5), ("openai", 10, 5)] == sorted(said)
