"""Content in the form of OpenTelemetry's GenAI conventions."""

import json
from dataclasses import replace
from typing import Any

import pytest
from export_samples import DOCUMENTED, PLAIN, export_one
from hypothesis import given, settings
from hypothesis import strategies as st

from ramp_tracing._export._messages import input_messages, output_messages
from ramp_tracing._record import Content

CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Berlin"}'}}
CALL_PART = {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Berlin"}}
PICTURE = {"type": "image_url", "image_url": "[image/png, 12 bytes]"}

ASKED = [
    ({"messages": [{"role": "user", "content": "hi"}]}, [("user", [("text", "hi")])]),
    (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "see"}, PICTURE]}]},
        [("user", [("text", "see"), PICTURE])],
    ),
    ({"messages": [{"role": "assistant", "content": None, "tool_calls": [CALL]}]}, [("assistant", [CALL_PART])]),
    (
        {"messages": [{"role": "tool", "tool_call_id": "call_1", "content": "12 °C"}]},
        [("tool", [{"type": "tool_call_response", "id": "call_1", "response": "12 °C"}])],
    ),
    (
        {"messages": [{"role": "system", "content": "be kind"}, "hello"]},
        [("system", [("text", "be kind")]), ("user", [("text", "hello")])],
    ),
    (
        {"messages": [{"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "not json"}]},
        [("assistant", [{**CALL_PART, "arguments": "not json"}])],
    ),
    (
        {"messages": [{"type": "function_call_output", "call_id": "call_1", "output": "12 °C"}]},
        [("tool", [{"type": "tool_call_response", "id": "call_1", "response": "12 °C"}])],
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "ok"}]}]},
        [("user", [{"type": "tool_call_response", "id": "t", "response": "ok"}])],
    ),
    (
        {"messages": [{"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm.", "signature": "x"}]}]},
        [("assistant", [{"type": "reasoning", "content": "Hm."}])],
    ),
    (
        {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]}]},
        [("assistant", [{"type": "tool_call", "id": "t", "name": "f", "arguments": {}}])],
    ),
    ({"prompt": "Once upon"}, [("user", [("text", "Once upon")])]),
    ({"input": ["one", "two"]}, [("user", [("text", "one")]), ("user", [("text", "two")])]),
    ({"input": [1, 2]}, [("user", [{"type": "generic", "content": 1}]), ("user", [{"type": "generic", "content": 2}])]),
    ({"messages": [{"odd": True}]}, [("user", [{"type": "generic", "odd": True}])]),
    ({"other": 1}, [("user", [{"type": "generic", "other": 1}])]),
]


def message(role: str, parts: list[Any]) -> dict[str, Any]:
    """A message; a pair is short for a part with text."""
    whole = [{"type": part[0], "content": part[1]} if isinstance(part, tuple) else part for part in parts]
    return {"role": role, "parts": whole}


@pytest.mark.parametrize(("asked", "messages"), ASKED)
def test_asked(asked: object, messages: list[tuple[str, list[Any]]]) -> None:
    """Each form of a request becomes messages made of parts; what has no form is passed on as it is."""
    assert [message(*each) for each in messages] == json.loads(input_messages(json.dumps(asked)))


ANSWERED = [
    ({"completion": "Yes.", "reasoning": None}, [[("text", "Yes.")]]),
    ({"completion": "", "reasoning": "Hm.", "toolCalls": [CALL]}, [[("reasoning", "Hm."), CALL_PART]]),
    (
        {"completion": None, "toolCalls": {"name": "f", "arguments": "{}"}},
        [[{**CALL_PART, "id": None, "name": "f", "arguments": {}}]],
    ),
    ({"completion": "a", "choices": [{"completion": "b", "reasoning": None}]}, [[("text", "a")], [("text", "b")]]),
    ({"completion": [{"role": "assistant", "content": "by hand"}]}, [[("text", "by hand")]]),
    (
        {"completion": None, "images": ["[image/png, 12 bytes]"]},
        [[{"type": "generic", "images": ["[image/png, 12 bytes]"]}]],
    ),
    ("cut in the midd", [[("text", "cut in the midd")]]),
]


@pytest.mark.parametrize(("answered", "choices"), ANSWERED)
def test_answered(answered: object, choices: list[list[Any]]) -> None:
    """Each choice becomes one message of the assistant's, with its finish reason."""
    wanted = [{**message("assistant", parts), "finish_reason": "stop"} for parts in choices]
    assert wanted == json.loads(output_messages(json.dumps(answered), ("stop",) * len(choices)))


def test_attributes() -> None:
    """The conventions' dialect carries content in its own two keys, and in no others."""
    sent = export_one(DOCUMENTED, dialect="semconv").values
    assert [message("user", [("text", "Analyze this expense report...")])] == json.loads(sent["gen_ai.input.messages"])
    assert [
        {**message("assistant", [("text", "The report is within policy.")]), "finish_reason": "stop"}
    ] == json.loads(sent["gen_ai.output.messages"])
    told = {key for key, value in sent.items() if "Analyze this" in str(value) or "within policy" in str(value)}
    assert {"gen_ai.input.messages", "gen_ai.output.messages"} == told


def test_unknown_content() -> None:
    """Where only one side is known, only that one is sent."""
    sent = export_one(replace(PLAIN, content=Content(input={"prompt": "x"})), dialect="semconv").values
    assert "gen_ai.input.messages" in sent
    assert "gen_ai.output.messages" not in sent


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["messages", "input", "role", "content", "type", "tool_calls", "completion", "toolCalls"])
            | st.text(max_size=3),
            inner | st.sampled_from(["text", "function_call", "tool_result"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(json_values)
def test_anything(value: object) -> None:
    """Whatever the content is, it becomes messages with roles and parts with types."""
    text = json.dumps(value)
    for messages in (input_messages(text), output_messages(text, ("stop",))):
        for each in json.loads(messages):
            assert isinstance(each["role"], str)
            assert all(isinstance(part["type"], str) for part in each["parts"])
