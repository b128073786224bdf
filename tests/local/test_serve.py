"""`ramp-tracing serve`, as a command."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import ramp_tracing
from ramp_tracing._fake_ramp import PATH
from ramp_tracing.cli import _serve
from ramp_tracing.cli._app import build_app

from .receivers import SECONDS, wait_until

SOURCE = Path(__file__).parents[2] / "src"

KEY = "a key of some length"


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "ramp_tracing.cli", "serve", "--port", "0", *options]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SOURCE), **more}


@contextmanager
def serving(*options: str, **environ: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    with subprocess.Popen(
        command(*options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**environ)
    ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found
            yield found[0], process
        finally:
            process.terminate()
            process.communicate(timeout=SECONDS)


def get(url: str) -> Any:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=SECONDS) as answer:
        return json.load(answer)


def test_takes_what_the_sdk_sends_and_ends_quietly(tmp_path: Path) -> None:
    """A call that the package reports is there at the next start too; Ctrl-C ends it without a word on the way."""
    database = tmp_path / "ledger.sqlite3"
    with serving("--database", str(database)) as (url, process):
        ramp_tracing.instrument(api_key="any", base_url=url + PATH, state_dir=str(tmp_path / "state"))
        try:
            assert ramp_tracing.test_connection(api_key="any", base_url=url + PATH).ok
            ramp_tracing.record_generation(provider="openai", model="gpt-4o", input_tokens=1_000, output_tokens=10)
            assert ramp_tracing.flush(SECONDS)
        finally:
            ramp_tracing.uninstrument()
        assert 1 == get(f"{url}/api/overview")["totals"]["priced"]
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=SECONDS)
        assert (0, "") == (process.returncode, said)
    with serving("--database", str(database)) as (url, _):
        assert 1 == get(f"{url}/api/overview")["totals"]["calls"]


def test_two_do_not_share_a_ledger(tmp_path: Path) -> None:
    """A second receiver on the same file does not start, and says why."""
    database = str(tmp_path / "ledger.sqlite3")
    with serving("--database", database):
        second = subprocess.run(
            command("--database", database),
            env=environment(),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    assert (2, "") == (second.returncode, second.stdout)
    assert "another receiver uses" in second.stderr


@pytest.mark.parametrize("key", [None, KEY])
def test_opens_the_page(tmp_path: Path, key: str | None) -> None:
    """``--open`` shows the page in the browser; where there is a key it is let in without the key in an address."""
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {seen}.new && mv {seen}.new {seen}\n')
    browser.chmod(0o700)
    environ = {"BROWSER": f"{browser} %s"} | ({"RAMP_TRACING_LOCAL_KEY": key} if key else {})
    with serving("--database", str(tmp_path / "ledger.sqlite3"), "--open", **environ) as (url, _):
        wait_until(seen.exists)
        address = seen.read_text().strip()
        assert key is None or key not in address
        assert address == url if key is None else address.startswith(f"{url}/enter/")
        jar = urllib.request.HTTPCookieProcessor()
        visitor = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar)
        for path in (address, f"{url}/api/change"):
            with visitor.open(path, timeout=SECONDS) as answer:
                assert 200 == answer.status


def test_says_what_to_change(tmp_path: Path) -> None:
    """A taken port, one that is none, another host without a key, a file that is none: exit code 2 and a sentence."""
    (tmp_path / "file").write_text("not a ledger, but long enough to be taken for something else" * 10)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for options, said in (
            (["--port", port, "--database", str(tmp_path / "a")], "cannot be listened on"),
            (["--port", "65536"], "--port"),
            (["--port", "-1"], "--port"),
            (["--port", "0", "--host", "0.0.0.0", "--database", str(tmp_path / "b")], "--key"),
            (["--port", "0", "--database", str(tmp_path / "file")], "Name another file"),
            (["--port", "0", "--database", str(tmp_path / "file" / "below")], "cannot be made"),
        ):
            result = CliRunner().invoke(build_app(), ["serve", *options])
            assert (2, "") == (result.exit_code, result.stdout)
            assert said in result.stderr


def test_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the command says how to get it."""
    monkeypatch.setattr(_serve, "NEEDED", ("no_such_package_of_ours",))
    result = CliRunner().invoke(build_app(), ["serve"])
    assert (2, True) == (result.exit_code, "ramp-tracing[local]" in result.stdout)
