"""`ramp-tracing check`."""

import json
import os
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any

import pytest
import trustme
from typer.testing import CliRunner, Result

from ramp_tracing._journal import open_journal
from ramp_tracing._loopback import LoopbackServer, json_answer
from ramp_tracing._record import Generation, GenerationId, Timing, UnixNanos
from ramp_tracing.cli._app import build_app
from ramp_tracing.testing import FakeRamp

KEY = "ramp_test_0123456789abcdefWXYZ"

UNSET: dict[str, str | None] = dict.fromkeys(
    (
        "RAMP_API_KEY",
        "RAMP_BASE_URL",
        "RAMP_HEADERS",
        "RAMP_PRIVACY_MODE",
        "RAMP_TRACING_DISABLED",
        "RAMP_TRACING_PROTOCOL",
        "HTTPS_PROXY",
        "https_proxy",
    )
)


def check(*arguments: str, **environment: str) -> Result:
    """Run the command with these variables."""
    return CliRunner().invoke(build_app(), ["check", *arguments], env={**UNSET, "RAMP_API_KEY": KEY, **environment})


def check_json(**environment: str) -> tuple[int, dict[str, Any]]:
    """Exit code and what was printed as JSON."""
    result = check("--json", **environment)
    return result.exit_code, json.loads(result.stdout)


@pytest.fixture
def ramp() -> Iterator[FakeRamp]:
    """A receiver that knows the key."""
    with FakeRamp(api_key=KEY) as running:
        yield running


def test_passes(ramp: FakeRamp) -> None:
    """Where Ramp accepts the test, the command says so and exits with 0."""
    result = check(RAMP_BASE_URL=ramp.url)
    assert result.exit_code == 0, result.output
    assert "The connection works." in result.stdout
    assert "trace id" in result.stdout


def test_is_not_counted(ramp: FakeRamp) -> None:
    """The test is one request that Ramp keeps apart from usage."""
    check(RAMP_BASE_URL=ramp.url)
    assert (len(ramp.connection_tests), ramp.spans) == (1, [])


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_shows_no_key(ramp: FakeRamp, arguments: tuple[str, ...]) -> None:
    """Of keys and headers only the ends are shown, or nothing."""
    result = check(*arguments, RAMP_BASE_URL=ramp.url, RAMP_HEADERS='{"X-Token": "very-secret-token"}')
    assert "WXYZ" in result.output
    assert KEY not in result.output
    assert "0123456789" not in result.output
    assert "very-secret" not in result.output
    assert "X-Token" in result.output


def test_shows_filters_as_they_are_written(ramp: FakeRamp) -> None:
    """Names in order, with commas; of an OAuth client its name, and of its secret only the ends."""
    secret = "client_secret_0123456789_end"
    client = {"RAMP_API_KEY": "", "RAMP_CLIENT_ID": "client-1", "RAMP_CLIENT_SECRET": secret}
    _, report = check_json(
        **client,
        RAMP_BASE_URL=ramp.unified_url,
        RAMP_TRACING_PROTOCOL="ramp/unified",
        RAMP_TRACING_EXCLUDE_PROVIDERS="openrouter, groq",
    )
    values = {each["name"]: each["value"] for each in report["configuration"]}
    assert (values["exclude_providers"], values["client_id"]) == ("groq, openrouter", "client-1")
    assert secret not in json.dumps(report)
    assert report["message"].startswith("Answer 404, and no token: check RAMP_CLIENT_ID")


def test_names_sources(ramp: FakeRamp) -> None:
    """Every option is there, with who gave it."""
    result = check("--json", "--base-url", ramp.url, RAMP_PRIVACY_MODE="yes")
    settings = {each["name"]: (each["value"], each["source"]) for each in json.loads(result.stdout)["configuration"]}
    assert settings["privacy_mode"] == ("True", "RAMP_PRIVACY_MODE")
    assert settings["base_url"] == (ramp.url, "command line")
    assert settings["dialect"] == ("openrouter", "default")
    assert settings["api_key"][1] == "RAMP_API_KEY"


@pytest.mark.parametrize(
    ("status", "advice"),
    [(401, "RAMP_API_KEY"), (403, "ai_usage:write"), (404, "RAMP_BASE_URL"), (308, "redirects"), (503, "later")],
)
def test_says_what_to_do_about_a_status(ramp: FakeRamp, status: int, advice: str) -> None:
    """Each refusal comes with what to change, Ramp's own words and its trace id."""
    ramp.answer_with(status)
    code, printed = check_json(RAMP_BASE_URL=ramp.url)
    assert (code, printed["ok"], printed["status"]) == (1, False, status)
    assert advice in printed["message"]
    assert len(printed["trace_id"]) == 32


def test_says_that_a_key_is_wrong(ramp: FakeRamp) -> None:
    """A key that Ramp does not know is named as the cause."""
    result = check(RAMP_BASE_URL=ramp.url, RAMP_API_KEY="ramp_other_0123456789abcdef")
    assert result.exit_code == 1
    assert "Not connected." in result.stdout
    assert "the key is wrong" in result.stdout


def test_says_that_a_certificate_is_not_trusted() -> None:
    """A certificate that nobody vouches for is named as the cause, with the option that helps."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(serving)
    with FakeRamp(tls=serving) as ramp:
        code, printed = check_json(RAMP_BASE_URL=ramp.url)
        assert ramp.requests == []
    assert (code, printed["ok"], printed["status"]) == (1, False, None)
    assert "certificate is not trusted" in printed["message"]
    assert "ca_file" in printed["message"]


def test_says_that_nothing_listens() -> None:
    """A port on which nothing listens is named as the cause."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    code, printed = check_json(RAMP_BASE_URL=f"http://127.0.0.1:{port}/")
    assert (code, printed["status"]) == (1, None)
    assert "nothing listens there" in printed["message"]


def test_says_that_a_name_is_unknown() -> None:
    """A host that does not exist is named as the cause."""
    code, printed = check_json(RAMP_BASE_URL="https://ramp.invalid/")
    assert (code, printed["ok"]) == (1, False)
    assert "name" in printed["message"]


def test_quotes_no_strange_body() -> None:
    """An answer that would colour a terminal is shown without its colours."""
    with LoopbackServer(lambda _: json_answer({"error_v2": {"message": "\x1b[31m[red]no"}}, status=403)) as server:
        result = check(RAMP_BASE_URL=server.url)
    assert "\x1b" not in result.stdout
    assert "[red]no" in result.stdout


@pytest.mark.parametrize(
    ("environment", "advice"),
    [
        ({"RAMP_API_KEY": ""}, "RAMP_API_KEY"),
        ({"RAMP_BASE_URL": "http://example.com/"}, "https"),
        ({"RAMP_HEADERS": "{"}, "RAMP_HEADERS"),
        ({"RAMP_TRACING_DISABLED": "1"}, "RAMP_TRACING_DISABLED"),
    ],
)
def test_says_what_to_configure(environment: dict[str, str], advice: str) -> None:
    """Where the configuration cannot be used, nothing is sent, and what to change is said."""
    code, printed = check_json(**environment)
    assert (code, printed["ok"]) == (2, False)
    assert advice in printed["message"]
    text = check(**environment)
    assert text.exit_code == 2
    assert advice in text.stdout


def leave_jobs(ramp: FakeRamp, *, count: int) -> None:
    """What a process leaves behind that has created jobs, and is gone."""
    journal = open_journal(state_dir=os.environ["RAMP_TRACING_STATE_DIR"], base_url=ramp.url, key=KEY)
    for number in range(count):
        at = UnixNanos(time.time_ns() - (count - number) * 7200 * 10**9)
        journal.append(
            Generation(
                id=GenerationId(f"batch_68af4030592c{number:04d}"),
                operation="batch",
                library="openai",
                timing=Timing(started=at, ended=at),
                response_model="gpt-[bold]4o",
                pending=True,
                job=True,
            )
        )
    journal.close()


def test_lists_jobs_that_nobody_has_seen_ended(ramp: FakeRamp) -> None:
    """With model and age, the oldest first; they are no reason for the test to fail."""
    leave_jobs(ramp, count=2)
    result = check(RAMP_BASE_URL=ramp.url)
    assert result.exit_code == 0, result.output
    rows = [line for line in result.stdout.splitlines() if "batch_68af" in line]
    assert [("0000" in row, "4 h" in row, "gpt-[bold]4o" in row) for row in rows] == [
        (True, True, True),
        (False, False, True),
    ]
    _, report = check_json(RAMP_BASE_URL=ramp.url)
    assert [(job["id"], job["operation"], job["age_seconds"] // 3600) for job in report["pending_jobs"]] == [
        ("batch_68af4030592c0000", "batch", 4),
        ("batch_68af4030592c0001", "batch", 2),
    ]


def test_shows_the_oldest_of_many_jobs(ramp: FakeRamp) -> None:
    """A terminal has room for some; JSON has them all."""
    leave_jobs(ramp, count=25)
    result = check(RAMP_BASE_URL=ramp.url)
    assert "the oldest 20 of 25" in result.stdout
    assert result.stdout.count("batch_68af") == 20
    assert len(check_json(RAMP_BASE_URL=ramp.url)[1]["pending_jobs"]) == 25


def test_jobs_that_cannot_be_read_are_not_listed(ramp: FakeRamp) -> None:
    """The connection is tested all the same, and the directory is a problem."""
    leave_jobs(ramp, count=1)
    os.chmod(os.environ["RAMP_TRACING_STATE_DIR"], 0o777)
    exit_code, report = check_json(RAMP_BASE_URL=ramp.url)
    assert (exit_code, report["ok"], report["pending_jobs"]) == (1, True, [])
