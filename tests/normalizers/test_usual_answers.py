"""An ordinary chat completion and any other one: two ways to one answer."""

import json
from pathlib import Path
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from ramp_tracing._normalizers import CHAT, parse
from ramp_tracing._normalizers._chat import _read_usual, read_anything

PAYLOADS: Final = Path(__file__).parents[1] / "payloads" / "chat"

NAMES: Final = st.none() | st.sampled_from(["", "gpt-4o", "default", "priority", "stop", "error", 7, True, [], {}])
COUNTS: Final = st.none() | st.integers(-1, 5_000) | st.sampled_from(["7", 1.5])
USAGES: Final = st.none() | st.dictionaries(
    st.sampled_from(
        ["prompt_tokens", "completion_tokens", "total_tokens", "cost", "service_tier", "inference_geo", "speed"]
    ),
    COUNTS | NAMES,
)
MESSAGES: Final = st.none() | st.dictionaries(
    st.sampled_from(
        ["role", "content", "refusal", "reasoning", "reasoning_content", "tool_calls", "function_call", "audio"]
    ),
    NAMES | st.text(max_size=5) | st.just([{"id": "call_1"}]),
)
CHOICES: Final = st.fixed_dictionaries(
    {},
    optional={
        "message": MESSAGES,
        "finish_reason": NAMES,
        "native_finish_reason": NAMES,
        "error": NAMES,
        "index": COUNTS,
    },
)
OPTIONAL: Final = dict.fromkeys(
    ("id", "model", "service_tier", "provider", "object", "type", "error", "detail", "message", "x_groq"), NAMES
)
ANSWERS: Final = st.fixed_dictionaries(
    {"choices": st.none() | st.lists(CHOICES, min_size=1, max_size=2), "usage": USAGES},
    optional={**OPTIONAL, "service_tier": st.just("default")},
)


@settings(deadline=None, max_examples=200)
@given(ANSWERS)
def test_whatever_a_server_sends_both_say_the_same(answer: dict[str, Any]) -> None:
    """The quick look answers nothing that the full reading would answer otherwise."""
    assert read_anything(answer) == CHAT.read(answer)


def test_payloads() -> None:
    """The same of what servers are known to send."""
    answers = [parse(path.read_bytes()) for path in PAYLOADS.glob("*.json")]
    assert answers
    assert [read_anything(answer) for answer in answers] == [CHAT.read(answer) for answer in answers]


def test_what_openai_documents_takes_the_quick_look() -> None:
    """Or the comparisons above would compare the full reading with itself."""
    answer = json.loads((PAYLOADS / "openai.json").read_bytes())
    assert read_anything(answer) == _read_usual(answer)
