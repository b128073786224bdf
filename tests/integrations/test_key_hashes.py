"""The hash of the key that a call was made with: only where it is asked for, and never the key."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import openai
import pytest

import ramp_tracing
from ramp_tracing._state import state
from ramp_tracing.integrations._key_hashes import hash_of, hash_of_client
from ramp_tracing.testing import FakeRamp, capture_generations

from .colours import Colour
from .provider import Provider

HELLO: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello?"}]}

KEY = "sk-company-canary-5512"
PRIVATE = "sk-private-canary-9921"


def hashed(key: str) -> str:
    return sha256(key.encode()).hexdigest()


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "hashes_keys", True)


def test_no_hash_unless_asked_for(colour: Colour) -> None:
    """Without an allow-list nobody looks at a key."""
    with capture_generations() as generations:
        colour.wait(colour.client(colour.provider.base_url, api_key=KEY).chat.completions.create(**HELLO))
        assert [each.api_key_hash for each in generations] == [None]


@pytest.mark.usefixtures("asked_for")
def test_the_key_of_the_client_or_of_the_request(colour: Colour) -> None:
    """What the request sends goes before what the client has."""
    with capture_generations() as generations:
        completions = colour.client(colour.provider.base_url, api_key=KEY).chat.completions
        colour.wait(completions.create(**HELLO))
        colour.wait(completions.create(**HELLO, extra_headers={"Authorization": f"Bearer {PRIVATE}"}))
        assert [each.api_key_hash for each in generations] == [hashed(KEY), hashed(PRIVATE)]


@pytest.mark.usefixtures("asked_for")
def test_a_key_that_cannot_be_known_has_no_hash() -> None:
    """Azure's placeholder, an empty text, a function that makes a key for each call."""

    class Rotating:
        _api_key_provider = staticmethod(lambda: KEY)
        api_key = PRIVATE

    assert [hash_of(each) for each in ("", "<missing API key>", None, 7, lambda: KEY)] == [None] * 5
    assert hash_of_client(Rotating(), None) is None


def test_only_calls_with_allowed_keys_arrive(tmp_path: Path) -> None:
    """The others are counted; neither key nor hash is on the wire, and no key is on the disk."""
    with FakeRamp() as ramp, Provider() as provider:
        ramp_tracing.instrument(
            "openai", api_key="test", base_url=ramp.url, state_dir=str(tmp_path), allow_api_keys=(hashed(KEY),)
        )
        try:
            for key in (KEY, PRIVATE, KEY):
                with openai.OpenAI(api_key=key, base_url=provider.base_url, max_retries=0) as client:
                    client.chat.completions.create(**HELLO)
            on_disk = b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())
            assert ramp_tracing.flush(30)
            stats = ramp_tracing.stats()
        finally:
            ramp_tracing.uninstrument()
        sent = b"".join(request.body for request in ramp.requests)
    assert (stats.recorded, stats.acknowledged, stats.filtered) == (3, 2, 1)
    assert len(ramp.generations) == 2
    assert hashed(KEY).encode() not in sent
    assert b"canary" not in sent + on_disk
    assert not state.hashes_keys
