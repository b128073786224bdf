"""`ramp-tracing spool`: what is on disk, and what to do with it."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import ramp_tracing
from ramp_tracing._config import resolve
from ramp_tracing._journal import _place, open_journal
from ramp_tracing.cli._app import build_app
from ramp_tracing.testing import FakeRamp

from ..journal.samples import generation

KEY = "ramp-key-canary-5150"

KILLED = textwrap.dedent("""
    import os, signal, ramp_tracing
    ramp_tracing.instrument()
    for number in range(3):
        ramp_tracing.record_generation(
            provider="acme", model="acme-1", input_tokens=number, input_messages="canary-text"
        )
    os.kill(os.getpid(), signal.SIGKILL)
""")


def spool(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(build_app(), ["spool", *arguments])


def status() -> list[dict[str, Any]]:
    """What `status --json` says."""
    return json.loads(spool("status", "--json").stdout)  # type: ignore[no-any-return]


def leave_three_behind(base_url: str) -> None:
    """A process makes three calls while Ramp is away, and is killed."""
    source = str(Path(ramp_tracing.__file__).parents[1])
    environ = {**os.environ, "PYTHONPATH": source, "RAMP_API_KEY": KEY, "RAMP_BASE_URL": base_url}
    killed = subprocess.run([sys.executable, "-c", KILLED], env=environ, timeout=120, check=False)
    assert killed.returncode == -signal.SIGKILL


@pytest.fixture
def ramp(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A receiver that the environment names."""
    with FakeRamp() as ramp:
        monkeypatch.setenv("RAMP_API_KEY", KEY)
        monkeypatch.setenv("RAMP_BASE_URL", ramp.url)
        yield ramp


def test_nothing_on_disk() -> None:
    """Says so, and exits 0."""
    done = spool("status")
    assert (done.exit_code, done.stdout.strip()) == (0, "Nothing is on disk.")
    assert status() == []


def test_what_a_killed_process_left_is_shown_and_sent(ramp: FakeRamp) -> None:
    """Status counts it, send delivers it once, and then nothing is left."""
    ramp.answer_with(503)
    leave_three_behind(ramp.url)
    [before] = status()
    assert (before["destination"], before["waiting"], before["dead"]) == (ramp.url, 3, 0)
    assert spool("status").exit_code == 1
    ramp.answer_normally()
    sent = spool("send")
    assert (sent.exit_code, sent.stdout.strip()) == (0, "3 sent, 0 waiting, 0 dead, 0 lost")
    assert sorted(each.attributes["gen_ai.usage.input_tokens"] for each in ramp.generations) == [0, 1, 2]
    assert all(each.attributes["ramp.content.lost"] is True for each in ramp.generations)
    assert sum(each["waiting"] for each in status()) == 0


def test_sending_to_a_receiver_that_is_away(ramp: FakeRamp) -> None:
    """Ends in time, says what waits, keeps it, and exits 1."""
    ramp.answer_with(503)
    leave_three_behind(ramp.url)
    sent = spool("send", "--timeout", "1")
    assert (sent.exit_code, sent.stdout.strip()) == (1, "0 sent, 3 waiting, 0 dead, 0 lost")
    assert sum(each["waiting"] for each in status()) == 3


def test_what_waits_for_an_earlier_key_is_sent_on_request(ramp: FakeRamp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever corrects a key, as the log advises, loses nothing; without a word nothing goes to another account."""
    ramp.answer_with(401)
    leave_three_behind(ramp.url)
    monkeypatch.setenv("RAMP_API_KEY", "ramp-key-that-is-right")
    ramp.answer_normally()
    assert spool("send").stdout.strip() == "0 sent, 0 waiting, 0 dead, 0 lost"
    directory = next(each["directory"] for each in status() if each["waiting"])
    sent = spool("send", "--from", directory)
    assert (sent.exit_code, sent.stdout.strip()) == (0, "3 sent, 0 waiting, 0 dead, 0 lost")
    assert ramp.requests[-1].headers["authorization"] == "Bearer ramp-key-that-is-right"
    assert sum(each["waiting"] for each in status()) == 0


def test_what_waits_for_an_earlier_address_is_sent_on_request(ramp: FakeRamp) -> None:
    """The same where the address was corrected; the last part of a directory's path is enough to name it."""
    leave_three_behind("http://127.0.0.1:9/wrong")
    directory = next(each["directory"] for each in status() if each["waiting"])
    sent = spool("send", "--from", Path(directory).name)
    assert (sent.exit_code, sent.stdout.strip()) == (0, "3 sent, 0 waiting, 0 dead, 0 lost")


def test_a_name_stands_for_its_directory_in_each_place(
    ramp: FakeRamp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the first place could not be written for a while, what was recorded then is in the second one."""
    first, second = tmp_path / "ramp_tracing", tmp_path / "second" / f"ramp_tracing-{os.geteuid()}"
    monkeypatch.delenv("RAMP_TRACING_STATE_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(_place, "SECOND_PLACE", second.parent)
    leave_three_behind("http://127.0.0.1:9/wrong")
    second.parent.mkdir()
    first.rename(second)
    leave_three_behind("http://127.0.0.1:9/wrong")
    [waiting, moved] = [Path(each["directory"]) for each in status() if each["waiting"]]
    assert (waiting.parent, moved.parent, waiting.name) == (first, second, moved.name)
    sent = spool("send", "--from", moved.name, "--from", f"{waiting}/")
    assert (sent.exit_code, sent.stdout.strip()) == (0, "6 sent, 0 waiting, 0 dead, 0 lost")


@pytest.mark.parametrize("named", ["nowhere", "/nowhere", ".", ".."])
def test_sending_what_is_not_there(ramp: FakeRamp, named: str) -> None:
    """Nothing is sent, and nothing is made."""
    leave_three_behind("http://127.0.0.1:9/wrong")
    before = status()
    done = spool("send", "--from", named)
    assert (done.exit_code, ramp.requests) == (2, [])
    assert "spool status" in done.stderr
    assert status() == before


def test_a_directory_below_the_home_is_found(ramp: FakeRamp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Services and containers are given their environment without a shell, which would have spelt the tilde out."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RAMP_TRACING_STATE_DIR", "~/state")
    ramp.answer_with(503)
    leave_three_behind(ramp.url)
    assert [(each["waiting"], Path(each["directory"]).parent) for each in status()] == [(3, tmp_path / "state")]
    assert spool("purge", "--waiting", "--yes").stdout.strip() == "3 deleted"


def test_a_directory_that_is_none_is_refused() -> None:
    """As `instrument()` refuses it."""
    done = spool("status", "--state-dir", " ")
    assert (done.exit_code, "directory" in done.stderr) == (2, True)


def test_sending_needs_a_configuration() -> None:
    """Without a key there is no destination."""
    done = spool("send")
    assert done.exit_code == 2
    assert "RAMP_API_KEY" in done.stderr


def test_dead_letters_are_listed_replayed_and_purged(ramp: FakeRamp) -> None:
    """What Ramp refuses is kept with its reason, can be sent again with the same id, or deleted."""
    leave_three_behind(ramp.url)
    ramp.clear()
    ramp.answer_with(422)
    assert spool("send").exit_code == 1
    listed = json.loads(spool("dead", "--json").stdout)
    assert len(listed) == 3
    assert "422" in listed[0]["reason"]
    assert "acme-1" in spool("dead").stdout
    ramp.answer_normally()
    assert spool("replay", listed[0]["file"]).stdout.strip() == "1 put back"
    assert spool("send").stdout.strip() == "1 sent, 0 waiting, 0 dead, 0 lost"
    assert len(ramp.generations) == 1
    assert spool("purge", "--yes").stdout.strip() == "2 deleted"
    assert sum(each["dead"] for each in status()) == 0


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> str:
    """A record of a model with an odd name was refused, by a receiver whose address has brackets in it."""
    address = "http://[::1]:9/[a]"
    monkeypatch.setenv("RAMP_API_KEY", KEY)
    monkeypatch.setenv("RAMP_BASE_URL", address)
    config = resolve({}, os.environ)
    journal = open_journal(state_dir=config.state_dir, base_url=config.base_url, key=config.account)
    journal.append(replace(generation(), request_model="[/bold]a[b]\x1b]0;owned\x07"))
    [entry] = journal.read(1)
    journal.bury(entry, "Ramp answered 400")
    journal.close()
    return address


def test_names_and_addresses_are_shown_as_they_read(refused: str) -> None:
    """Brackets are no markup, and nothing is a command to the terminal."""
    assert refused in "".join(cells(spool("status").stdout))
    shown = spool("dead").stdout
    assert r"[/bold]a[b]\x1b]0;owned\x07" in "".join(cells(shown))
    assert "\x1b" not in shown


def cells(table: str) -> list[str]:
    """What stands in each column of a table with one row, whose cells may have several lines."""
    rows = [line.split("│")[1:-1] for line in table.splitlines() if line.startswith("│")]
    return ["".join(each).replace(" ", "") for each in zip(*rows, strict=True)]


def test_purging_asks_first(ramp: FakeRamp) -> None:
    """Deleting spend takes a word."""
    ramp.answer_with(503)
    leave_three_behind(ramp.url)
    assert spool("purge", "--waiting").exit_code == 1
    assert sum(each["waiting"] for each in status()) == 3
    assert spool("purge", "--waiting", "--yes").stdout.strip() == "3 deleted"


def test_neither_key_nor_content_is_on_disk(ramp: FakeRamp) -> None:
    """In no file and in no name below the state directory."""
    ramp.answer_with(422)
    leave_three_behind(ramp.url)
    spool("send")
    written = [path for path in Path(os.environ["RAMP_TRACING_STATE_DIR"]).rglob("*") if path.is_file()]
    assert written
    everything = b"".join(str(path).encode() + path.read_bytes() for path in written)
    assert KEY.encode() not in everything
    assert b"canary-text" not in everything
