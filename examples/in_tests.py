"""
In tests of your own: see what would be reported, without a key and without Ramp.

    python -m pytest examples/in_tests.py
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai
import pytest

import ramp_tracing
from ramp_tracing.testing import FakeRamp, capture_generations


def answer_a_customer(client: openai.OpenAI, customer: str) -> str | None:
    """The application that is tested."""
    with ramp_tracing.trace(user=customer, cost_center="CC-3040"):
        completion = client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": "Where is my parcel?"}]
        )
    return completion.choices[0].message.content


class Model(BaseHTTPRequestHandler):
    """Stands for whatever answers model calls in your tests."""

    def do_POST(self) -> None:
        """Always say the same."""
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": "gpt-4o-mini",
                "choices": [
                    {
                        "index": 0,
                        "message": {"role": "assistant", "content": "On its way."},
                        "finish_reason": "stop",
                        "logprobs": None,
                    }
                ],
                "usage": {"prompt_tokens": 42, "completion_tokens": 4, "total_tokens": 46},
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[openai.OpenAI]:
    """A client of that model."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Model) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with openai.OpenAI(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="none") as client:
            yield client
        server.shutdown()


def test_charges_the_customer(client: openai.OpenAI) -> None:
    """`capture_generations` gives the records themselves, at once."""
    with capture_generations() as generations:
        assert answer_a_customer(client, "customer-7") == "On its way."
    [generation] = generations
    assert generation.attribution.user == "customer-7"
    assert generation.attribution.metadata == {"cost_center": "CC-3040"}
    assert generation.usage.input_tokens == 42


def test_reaches_ramp(client: openai.OpenAI) -> None:
    """`FakeRamp` takes what goes over the wire, keys, headers and retries included."""
    with FakeRamp() as ramp:
        ramp.answer_with(503, times=1)  # Ramp is away for a moment
        ramp_tracing.instrument(api_key="test", base_url=ramp.url)
        answer_a_customer(client, "customer-7")
        [generation] = ramp.wait_for(1, timeout_seconds=15)
        ramp_tracing.uninstrument()
    assert generation.attributes["user.id"] == "customer-7"
    assert generation.attributes["trace.metadata.cost_center"] == "CC-3040"
    assert generation.attributes["gen_ai.usage.total_tokens"] == 46
