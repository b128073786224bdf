"""
The real LiteLLM Proxy, with the configuration of examples/litellm_proxy, between the real openai client and a model
server on loopback: Ramp sees every call once, with its price and with who it was for.
"""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest

from ramp_tracing._loopback import Answer, Request, json_answer
from ramp_tracing.testing import FakeRamp, ReceivedSpan
from tests.integrations.provider import CHUNKS, Provider, chat_like_openai, chunk, stream
from tests.ports import free_port

pytest.importorskip("litellm.proxy.proxy_server", reason="needs litellm[proxy]", exc_type=ImportError)
yaml = pytest.importorskip("yaml")
openai: Any = pytest.importorskip("openai")

ROOT: Final = Path(__file__).parents[2]
KEY: Final = "sk-of-the-billing-team"
TEAM: Final = {
    "trace.metadata.litellm.team": "billing",
    "trace.metadata.litellm.team_id": "team-7",
    "trace.metadata.litellm.key_alias": "billing-key",
    "trace.metadata.litellm.organization_id": "org-1",
}

pytestmark = [pytest.mark.timeout(300), pytest.mark.filterwarnings("ignore")]


def chat(request: Request) -> Answer:
    body: Any = request.json
    if body["model"].startswith("bad"):
        return json_answer({"error": {"message": "No.", "type": "server_error", "code": "no"}}, status=500)
    if body.get("stream") and "long" in json.dumps(body["messages"]):
        return stream([chunk({"content": "word "}) for _ in range(20_000)])
    return chat_like_openai(request)


def responses(request: Request) -> Answer:
    from tests.integrations.litellm_calls import QUEUED, responses_like_openai

    body: Any = request.json
    return json_answer(QUEUED) if body.get("background") else responses_like_openai(request)


BACKGROUND: Final = "resp_0b7d3ac9e1f24a60"


def look_at_background(request: Request) -> Answer:
    from tests.integrations.litellm_calls import BACKGROUND

    return json_answer(BACKGROUND)


EMBEDDING: Final = {
    "object": "list",
    "model": "text-embedding-3-small",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}],
    "usage": {"prompt_tokens": 10, "total_tokens": 10},
}


class Proxy:
    """A running proxy and what Ramp gets from it."""

    def __init__(self, url: str, ramp: FakeRamp, client: Any) -> None:
        self.url = url
        self.client = client
        self._ramp = ramp
        self._seen = 0

    def usage_of(self, response_id: str) -> object:
        """What Ramp knows of a response that may not have ended."""
        found = [
            each.attributes for each in self._ramp.generations if each.attributes["gen_ai.response.id"] == response_id
        ]
        return found[-1].get("gen_ai.usage.input_tokens") if found else None

    def received(self, count: int) -> list[ReceivedSpan]:
        """The next *count* records, and none more a moment later; one later still is one too many for the next."""
        until = time.monotonic() + 60
        while time.monotonic() < until and len(self._ramp.generations) < self._seen + count:
            time.sleep(0.05)
        time.sleep(0.3)
        new = self._ramp.generations[self._seen :]
        self._seen += len(new)
        assert count == len(new), "\n".join(str(each.attributes) for each in new)
        return list(new)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("proxy")
    shutil.copy(Path(__file__).with_name("auth.py"), folder)
    config = yaml.safe_load((ROOT / "examples" / "litellm_proxy" / "config.yaml").read_text())
    config["general_settings"]["custom_auth"] = "auth.user_api_key_auth"
    scripts = {
        f"/responses/{BACKGROUND}": look_at_background,
        "/responses": responses,
        "/chat/completions": chat,
        "/embeddings": json_answer(EMBEDDING),
    }
    with Provider(scripts=scripts) as upstream, FakeRamp(api_key="test") as ramp:
        config["general_settings"]["pass_through_endpoints"] = [
            {"path": f"/mine/{name}", "target": f"{upstream.base_url}/{name}"}
            for name in ("chat/completions", "embeddings")
        ]
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        port = free_port()
        running = start(folder, port, environment(folder, upstream.base_url, ramp.url))
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_alive(url, running, folder)
            with openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0) as client:
                yield Proxy(url, ramp, client)
        finally:
            running.terminate()
            with suppress(subprocess.TimeoutExpired):
                running.wait(20)
            running.kill()
            running.wait()


def environment(folder: Path, provider_url: str, ramp_url: str) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("RAMP_", "OPENAI_", "LITELLM_"))},
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]),
        "OPENAI_API_KEY": "sk-test",
        "OPENAI_BASE_URL": provider_url,
        "LITELLM_MASTER_KEY": "sk-8dN2mQx71vTzLkW4pR9sYb3F",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "RAMP_API_KEY": "test",
        "RAMP_BASE_URL": ramp_url,
        "RAMP_TRACING_STATE_DIR": str(folder / "state"),
        "NO_PROXY": "127.0.0.1",
    }


def start(folder: Path, port: int, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """The command of the example, on a port that is free."""
    command = [str(Path(sys.executable).with_name("litellm")), "--config", str(folder / "config.yaml")]
    options = ["--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen([*command, *options], env=environment, stdout=log, stderr=subprocess.STDOUT)


def wait_until_alive(url: str, running: "subprocess.Popen[bytes]", folder: Path) -> None:
    until = time.monotonic() + 200
    while time.monotonic() < until:
        assert running.poll() is None, (folder / "log").read_text()[-4000:]
        with suppress(OSError, urllib.error.URLError), urllib.request.urlopen(f"{url}/health/liveliness", timeout=5):
            return
        time.sleep(0.5)
    raise AssertionError((folder / "log").read_text()[-4000:])


def ask(proxy: Proxy, model: str = "gpt-4o", words: str = "hi", **more: Any) -> Any:
    return proxy.client.chat.completions.create(model=model, messages=[{"role": "user", "content": words}], **more)


def tokens(span: ReceivedSpan) -> tuple[Any, Any]:
    usage = "gen_ai.usage."
    return span.attributes.get(f"{usage}input_tokens"), span.attributes.get(f"{usage}output_tokens")


def has(span: ReceivedSpan, **expected: Any) -> None:
    wanted = {**TEAM, **{key.replace("__", "."): value for key, value in expected.items()}}
    assert wanted == {key: span.attributes.get(key) for key in wanted}


def cost(span: ReceivedSpan) -> float | None:
    amount = span.attributes.get("gen_ai.usage.total_cost")
    return None if amount is None else float(str(amount))


def test_chat(proxy: Proxy) -> None:
    """Price, tokens, team, and what the request says of who it is for."""
    ask(
        proxy,
        user="end-user-1",
        extra_body={
            "metadata": {"session_id": "session-1", "trace_name": "Invoice run", "cost_center": "CC-1"},
        },
    )
    [span] = proxy.received(1)
    assert (10, 5) == tokens(span)
    assert 0.000075 == pytest.approx(cost(span))
    assert "gateway" == span.attributes["ramp.cost.source"]
    has(span, user__id="end-user-1", session__id="session-1", trace__name="Invoice run", ramp__library="litellm")
    assert "CC-1" == span.attributes["trace.metadata.cost_center"]


def test_chat_the_openrouter_way(proxy: Proxy) -> None:
    """``session_id`` and ``trace`` in the body."""
    ask(proxy, user="ada", extra_body={"session_id": "session-2", "trace": {"trace_name": "Run", "project": "apollo"}})
    [span] = proxy.received(1)
    has(span, user__id="ada", session__id="session-2", trace__name="Run")
    assert "apollo" == span.attributes["trace.metadata.project"]


def test_custom_price(proxy: Proxy) -> None:
    """The price in the configuration."""
    ask(proxy, "acme-large")
    [span] = proxy.received(1)
    assert 0.02 == pytest.approx(cost(span))
    has(span)


def test_stream(proxy: Proxy) -> None:
    """The provider's own usage; the client sees no more chunks than it asked for."""
    chunks = list(ask(proxy, stream=True))
    [span] = proxy.received(1)
    assert (10, 5) == tokens(span)
    assert 0.000075 == pytest.approx(cost(span))
    assert len(CHUNKS) >= len([each for each in chunks if each.choices])
    has(span)


def test_embeddings(proxy: Proxy) -> None:
    """An embedding has no output."""
    proxy.client.embeddings.create(model="text-embedding-3-small", input="hi")
    [span] = proxy.received(1)
    assert 10 == tokens(span)[0]
    assert "embeddings" == span.attributes["gen_ai.operation.name"]
    has(span)


@pytest.mark.parametrize("streamed", [False, True])
def test_responses(streamed: bool, proxy: Proxy) -> None:
    """The Responses API, which LiteLLM does not make through the openai client."""
    answer = proxy.client.responses.create(model="gpt-4o", input="hi", stream=streamed)
    if streamed:
        list(answer)
    [span] = proxy.received(1)
    assert (10, 5) == tokens(span)
    has(span)


def test_background_response(proxy: Proxy) -> None:
    """One record, however often it is looked at: the proxy has another id for it each time."""
    created = proxy.client.responses.create(model="gpt-4o", input="hi", background=True, user="ada")
    assert created.id != BACKGROUND
    for _ in range(3):
        assert "completed" == proxy.client.responses.retrieve(created.id).status
    until = time.monotonic() + 60
    while time.monotonic() < until and proxy.usage_of(BACKGROUND) is None:
        time.sleep(0.05)
    [span] = proxy.received(1)
    assert (10, 5) == tokens(span)
    assert BACKGROUND == span.attributes["gen_ai.response.id"]
    assert 0.000075 == pytest.approx(cost(span))
    has(span, user__id="ada", gen_ai__request__model="gpt-4o")


@pytest.mark.parametrize("streamed", [False, True])
def test_what_is_passed_through(streamed: bool, proxy: Proxy) -> None:
    """To an address of the owner's own, of which LiteLLM knows nothing; the usage is in the answer."""
    asked = {"stream": True, "stream_options": {"include_usage": True}} if streamed else {}
    passing = proxy.client.with_options(base_url=f"{proxy.url}/mine")
    answer = passing.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hi"}], **asked)
    if streamed:
        list(answer)
    [span] = proxy.received(1)
    assert (10, 5) == tokens(span)
    has(span, gen_ai__request__model="gpt-4o", user__id=None)


def test_embeddings_that_are_passed_through(proxy: Proxy) -> None:
    """They are known by their path."""
    proxy.client.with_options(base_url=f"{proxy.url}/mine").embeddings.create(
        model="text-embedding-3-small", input="hi"
    )
    [span] = proxy.received(1)
    assert (10, "embeddings") == (tokens(span)[0], span.attributes["gen_ai.operation.name"])
    has(span)


def test_what_a_header_says_of_the_cost(proxy: Proxy) -> None:
    """https://docs.litellm.ai/docs/proxy/cost_tracking: as a key of its own."""
    ask(proxy, extra_headers={"x-litellm-spend-logs-metadata": '{"cost_center": "CC-7"}', "x-litellm-tags": "a,b"})
    [span] = proxy.received(1)
    assert ("CC-7", '["a","b"]') == (
        span.attributes["trace.metadata.cost_center"],
        span.attributes["trace.metadata.tags"],
    )


def test_fallback(proxy: Proxy) -> None:
    """The attempt that failed, which cost nothing, and the one that stood in for it."""
    ask(proxy, "preview")
    failed, answered = sorted(proxy.received(2), key=lambda span: span.attributes["span.level"] == "DEFAULT")
    assert ("ERROR", None) == (failed.attributes["span.level"], cost(failed))
    assert (10, 5) == tokens(answered)
    has(failed)
    has(answered)


def test_failure(proxy: Proxy) -> None:
    """A failure without a way out is one record; a request that the proxy itself refuses is none."""
    with pytest.raises(openai.APIStatusError):
        ask(proxy, "preview", extra_body={"disable_fallbacks": True})
    [failed] = proxy.received(1)
    assert ("ERROR", None) == (failed.attributes["span.level"], cost(failed))
    with pytest.raises(openai.APIStatusError):
        ask(proxy, "no-such-model")
    stranger = proxy.client.with_options(api_key="sk-wrong")
    with pytest.raises(openai.APIStatusError):
        stranger.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hi"}])
    proxy.received(0)


def test_client_that_hangs_up(proxy: Proxy) -> None:
    """A stream that its reader leaves is one record."""
    answer = ask(proxy, words="long", stream=True)
    for _ in range(3):
        next(answer)
    answer.close()
    [span] = proxy.received(1)
    assert "gpt-4o" in str(span.attributes["gen_ai.request.model"])
