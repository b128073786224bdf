"""Calls of which the answer is read after they have returned."""

import gc
import weakref
from pathlib import Path
from typing import Any

import openai

import ramp_tracing
from ramp_tracing.testing import FakeRamp

from .provider import Provider


class Text(str):
    """A text of which one can see whether it is still there."""


def test_a_long_prompt_is_kept_once(provider: Provider, tmp_path: Path) -> None:
    """As it was sent; the application's own is not kept alive until its record has been sent."""
    provider.answer_with({})
    with FakeRamp() as ramp:
        ramp_tracing.instrument("openai", api_key="test", base_url=ramp.url, state_dir=str(tmp_path))
        with openai.OpenAI(base_url=provider.base_url, api_key="test") as client:
            prompt = Text("Hello? " * 2_000)
            gone = weakref.ref(prompt)
            messages: list[Any] = [{"role": "user", "content": prompt}]
            client.chat.completions.create(model="gpt-4o", messages=messages, seed=7, user="u-1")
        del prompt, messages
        gc.collect()
        assert gone() is None
        ramp_tracing.flush(30)
        ramp_tracing.uninstrument()
        [span] = ramp.wait_for(1)
    assert "Hello? Hello?" in str(span.attributes["gen_ai.prompt"])
    assert (span.attributes["gen_ai.request.seed"], span.attributes["user.id"]) == (7, "u-1")
