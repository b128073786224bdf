"""What `ramp-tracing check` finds."""

import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import ramp_tracing
from ramp_tracing._autostart import SITE
from ramp_tracing._config import resolve
from ramp_tracing._delivery import ConnectionReport
from ramp_tracing._delivery import test_connection as send_test
from ramp_tracing._journal import spool_of
from ramp_tracing._loopback import Answer
from ramp_tracing.cli import _findings
from ramp_tracing.cli._app import build_app
from ramp_tracing.cli._findings import BUILT_IN, Circumstances, Finding, findings, numbers
from ramp_tracing.integrations import REGISTRY, Supported
from ramp_tracing.testing import FakeRamp
from tests.delivery.receiver import wait_until

FINE = ConnectionReport(ok=True, status=200, message="", clock_ahead_seconds=0.5)


@pytest.fixture
def ramp() -> Iterator[FakeRamp]:
    with FakeRamp() as running:
        yield running


@pytest.fixture
def circumstances(tmp_path: Path) -> Circumstances:
    """A machine on which all is well."""
    given: dict[str, object] = {"api_key": "x", "state_dir": str(tmp_path / "state")}
    return Circumstances(config=resolve(given, {}), report=FINE, environ={}, folder=tmp_path)


def about(subject: str, circumstances: Circumstances) -> list[Finding]:
    return [each for each in findings(circumstances) if each.about == subject]


def weights(subject: str, circumstances: Circumstances) -> list[str]:
    return [each.weight for each in about(subject, circumstances)]


def test_all_is_well(circumstances: Circumstances) -> None:
    """Where all is well nothing is a warning or a problem, and everything that needs something done says what."""
    found = findings(circumstances)
    assert {"journal", "permissions", "clock", "instrumented"} <= {each.about for each in found}
    assert set() == {each.weight for each in found if each.about != "libraries"} & {"warning", "problem"}
    assert not (circumstances.folder / "state").exists()


@pytest.mark.parametrize("library", REGISTRY.values(), ids=lambda library: library.name)
def test_says_so_of_every_library(
    circumstances: Circumstances, monkeypatch: pytest.MonkeyPatch, library: Supported
) -> None:
    """Whoever has one library alone is not told that none is there."""
    monkeypatch.setattr(_findings, "installed_version", {library.distribution: library.oldest}.get)
    assert [f"{library.distribution} {library.oldest} is supported"] == [
        each.text for each in about("libraries", circumstances)
    ]


@pytest.mark.parametrize(
    ("installed", "expected"),
    [("3.57.0", "good"), ("1.109.1", "good"), ("1.109.0", "warning"), ("1.9", "warning"), ("4.0.0rc1", "note")],
)
def test_says_what_is_supported(
    circumstances: Circumstances, monkeypatch: pytest.MonkeyPatch, installed: str, expected: str
) -> None:
    """Too old is a warning, too new a note."""
    monkeypatch.setattr(_findings, "installed_version", {"openai": installed}.get)
    assert [expected] == weights("libraries", circumstances)
    monkeypatch.setattr(_findings, "installed_version", lambda name: None)
    assert ["warning"] == weights("libraries", circumstances)


def test_says_what_is_instrumented(circumstances: Circumstances) -> None:
    """An environment of `ramp-tracing run` is recognised."""
    assert ["note"] == weights("instrumented", circumstances)
    assert ["good"] == weights("instrumented", replace(circumstances, environ={"PYTHONPATH": f"/a:{SITE}"}))


def test_other_instrumentations(circumstances: Circumstances, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are named; they are a problem where their spans go to Ramp too."""
    monkeypatch.setattr(_findings, "installed_version", {"logfire": "4.0"}.get)
    assert ["note"] == weights("double", circumstances)
    elsewhere = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}
    assert ["note"] == weights("double", replace(circumstances, environ=elsewhere))
    here = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://api.ramp.com/developer/v1/ai-usage/openrouter"}
    [found] = about("double", replace(circumstances, environ=here))
    assert ("problem", True) == (found.weight, "OTEL_EXPORTER_OTLP_ENDPOINT" in found.advice)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("litellm_settings:\n  success_callback: ['ramp']\n", True),
        ("litellm_settings:\n  callbacks: [langfuse, ramp]\n", True),
        ("litellm_settings:\n  callbacks: ramp\n", True),
        ("litellm_settings:\n  callbacks:\n    - langfuse\n    - ramp\n", True),
        ("litellm_settings:\n  callbacks: ramp_tracing.litellm_logger\n", False),
        ("litellm_settings:\n  callbacks: [ramp_tracing.litellm_logger]\n", False),
        ("litellm_settings:\n  callbacks:\n    - ramp_tracing.litellm_logger\n", False),
        ("model_list:\n  - model_name: ramp\n", False),
        ("# callbacks: [ramp]\n", False),
    ],
)
def test_finds_litellms_own_callback(circumstances: Circumstances, text: str, expected: bool) -> None:
    """A proxy's configuration that reports to Ramp by itself doubles every call."""
    assert expected is bool(BUILT_IN.search(text))
    (circumstances.folder / "config.yaml").write_text(text)
    assert expected is ("problem" in weights("double", circumstances))


def test_that_search_is_quick() -> None:
    """A hostile file does not keep the search busy for ever."""
    assert not BUILT_IN.search("callbacks:" + "\n - a" * 20_000 + "\n" + "callbacks: [" + "a" * 100_000)


def test_advises_on_broadcast(circumstances: Circumstances) -> None:
    """Whoever calls OpenRouter is told that it may report the same calls."""
    for environ in ({"OPENROUTER_API_KEY": "x"}, {"OPENAI_BASE_URL": "https://openrouter.ai/api/v1"}):
        found = about("double", replace(circumstances, environ=environ))
        assert any(each.weight == "warning" and "Broadcast" in each.text for each in found)


def test_tells_what_waits_and_what_is_dead(ramp: FakeRamp, tmp_path: Path) -> None:
    """Records that wait are named, refused ones are a problem, with the command to use."""
    ramp.answer_with(503)
    given: dict[str, Any] = {"api_key": "x", "base_url": ramp.url, "state_dir": str(tmp_path / "state")}
    ramp_tracing.instrument(**given, exit_timeout_seconds=0.0)
    ramp_tracing.record_generation(provider="acme", model="large", input_tokens=1)
    here = Circumstances(config=resolve(given, {}), report=FINE, environ={}, folder=tmp_path)
    [found] = about("journal", here)
    assert ("note", True) == (found.weight, "1 records" in found.text)
    ramp.answer_with(400)
    ramp_tracing.flush(30)
    ramp_tracing.uninstrument()
    assert "problem" in weights("journal", here)


def test_what_waits_for_another_key_is_told_apart(ramp: FakeRamp, tmp_path: Path) -> None:
    """`spool send` alone leaves it where it is: the advice is the command that does not."""
    ramp.answer_with(401)
    wrong: dict[str, Any] = {"api_key": "wrong", "base_url": ramp.url, "state_dir": str(tmp_path / "state")}
    ramp_tracing.instrument(**wrong, exit_timeout_seconds=0.0)
    ramp_tracing.record_generation(provider="acme", model="large", input_tokens=1)
    ramp_tracing.uninstrument()
    right = resolve({**wrong, "api_key": "right"}, {})
    [directory] = (tmp_path / "state").iterdir()
    # The thread that sends lets go of its file a moment later: until then somebody takes care of the record.
    wait_until(lambda: not any(each.alive for each in spool_of(directory).segments))
    [found] = about("journal", Circumstances(config=right, report=FINE, environ={}, folder=tmp_path))
    assert found.weight == "warning"
    assert f"ramp-tracing spool send --from {directory.name}" in found.advice


def test_permissions(circumstances: Circumstances, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place that cannot be written to is a problem, a disk that is nearly full a warning."""
    assert ["good"] == weights("permissions", circumstances)
    monkeypatch.setattr(_findings, "_free_bytes", lambda place: 1_000_000)
    assert ["warning"] == weights("permissions", circumstances)
    blocked = circumstances.folder / "state"
    blocked.write_text("a file")
    assert ["problem"] == weights("permissions", circumstances)
    assert stat.S_ISREG(blocked.stat().st_mode)


@pytest.mark.parametrize(
    ("ahead", "expected"), [(0.9, "good"), (-59.0, "good"), (3_600.0, "warning"), (-90.0, "warning")]
)
def test_clock(circumstances: Circumstances, ahead: float, expected: str) -> None:
    """A clock that is off by more than a minute is a warning; one that nobody can compare is left out."""
    assert [expected] == weights("clock", replace(circumstances, report=replace(FINE, clock_ahead_seconds=ahead)))
    assert [] == weights("clock", replace(circumstances, report=replace(FINE, clock_ahead_seconds=None)))


def test_proxy(circumstances: Circumstances, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy is named without its credentials; one that cannot be used is a problem."""
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert [] == weights("proxy", circumstances)
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy.example:3128")
    [found] = about("proxy", circumstances)
    assert ("note", True, False) == (found.weight, "proxy.example:3128" in found.text, "secret" in str(found))
    for wrong in ("socks5://proxy.example", "http://proxy.example:port"):
        monkeypatch.setenv("HTTPS_PROXY", wrong)
        assert ["problem"] == weights("proxy", circumstances)


def check(*arguments: str, **environ: str) -> tuple[int, str]:
    result = CliRunner().invoke(build_app(), ["check", *arguments], env={"RAMP_API_KEY": "x", **environ})
    return result.exit_code, result.stdout


def test_a_problem_fails_the_command(ramp: FakeRamp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code is 1 with a problem although Ramp answered, and JSON has every finding."""
    monkeypatch.chdir(tmp_path)
    assert 0 == check(RAMP_BASE_URL=ramp.url)[0]
    (tmp_path / "config.yaml").write_text("litellm_settings:\n  callbacks: [ramp]\n")
    code, out = check("--json", RAMP_BASE_URL=ramp.url)
    [problem] = [each for each in json.loads(out)["findings"] if each["weight"] == "problem"]
    assert (1, "double") == (code, problem["about"])
    code, out = check(RAMP_BASE_URL=ramp.url)
    assert (1, True) == (code, "problem" in out and "→" in out)


def test_compares_clocks(ramp: FakeRamp) -> None:
    """The connection test says how far the clocks are apart."""
    ramp.answer_with(Answer(status=200, headers={"Date": formatdate(0, usegmt=True)}))
    _, out = check("--json", RAMP_BASE_URL=ramp.url)
    assert json.loads(out)["clock_ahead_seconds"] > 1e9


@pytest.mark.parametrize(("text", "expected"), [("1.109.1", (1, 109, 1)), ("2.0rc1", (2, 0)), ("x", ())])
def test_reads_versions(text: str, expected: tuple[int, ...]) -> None:
    """Numbers up to what is no number."""
    assert expected == numbers(text)


def with_report(url: str, **options: object) -> Circumstances:
    config = resolve({"api_key": "right", "base_url": url, **options}, {})
    return Circumstances(config=config, report=send_test(config), environ={}, folder=Path.cwd())


def endpoint(circumstances: Circumstances) -> Finding:
    [found] = about("endpoint", circumstances)
    return found


def taking(path: str, ramp: FakeRamp) -> None:
    """Let the key in at one of the endpoints only."""
    ramp.answer_with(lambda request: None if request.path.endswith(path) else Answer(status=403))


def test_the_endpoint_that_a_key_is_for(ramp: FakeRamp) -> None:
    """Said where the key is taken; the other one is not asked then."""
    assert endpoint(with_report(ramp.url)).text == "The key is for /ai-usage/openrouter (OTLP)"
    assert endpoint(with_report(ramp.unified_url, protocol="ramp/unified")).weight == "good"
    assert len(ramp.requests) == 2


@pytest.mark.parametrize(
    ("path", "protocol", "fix"),
    [
        ("/ai-usage/unified", "http/json", "RAMP_TRACING_PROTOCOL=ramp/unified"),
        ("/ai-usage/openrouter", "ramp/unified", "RAMP_TRACING_PROTOCOL=http/json"),
    ],
)
def test_a_key_for_the_other_endpoint(ramp: FakeRamp, path: str, protocol: str, fix: str) -> None:
    """Both are asked, without anything that counts, and the finding says what to set."""
    taking(path, ramp)
    url = ramp.url if protocol == "http/json" else ramp.unified_url
    found = endpoint(with_report(url, protocol=protocol))
    assert (found.weight, f"but for {path}" in found.text) == ("problem", True)
    assert fix in found.advice
    assert found.advice.endswith(f"{path}.")
    assert (ramp.spans, ramp.events) == ([], [])


def test_a_key_for_neither_endpoint(ramp: FakeRamp) -> None:
    """Then a new one is needed."""
    ramp.answer_with(401)
    assert "Neither" in endpoint(with_report(ramp.url)).text


def test_an_address_of_the_other_protocol(ramp: FakeRamp) -> None:
    """Spans would be refused there one by one."""
    found = endpoint(with_report(ramp.unified_url))
    assert (found.weight, found.text.endswith("but `protocol` is http/json")) == ("problem", True)
    assert about("endpoint", with_report(ramp.url.replace("openrouter", "collector"))) == []
