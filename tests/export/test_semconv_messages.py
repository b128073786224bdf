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
CUSTOM = {"name": "exec", "input": "[1]"}
PICTURE = {"type": "image_url", "image_url": "[image/png, 12 bytes]"}
LINK = "https://example.com/cat.png"
SEARCH = {
    "type": "server_tool_call",
    "id": "ws_1",
    "name": "web_search",
    "server_tool_call": {"type": "web_search_call", "status": "completed", "action": {"query": "cats"}},
}
HOSTED = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "cats"}}
HOSTED_PART = {
    "type": "server_tool_call",
    "id": "srvtoolu_1",
    "name": "web_search",
    "server_tool_call": {"type": "web_search", "input": {"query": "cats"}},
}
HOSTED_RESULT = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
HOSTED_RESULT_PART = {
    "type": "server_tool_call_response",
    "id": "srvtoolu_1",
    "server_tool_call_response": {"type": "web_search_tool_result", "content": []},
}

ASKED = [
    ({"messages": [{"role": "user", "content": "hi"}]}, [("user", [("text", "hi")])]),
    (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "see"}, PICTURE]}]},
        [("user", [("text", "see"), PICTURE])],
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": LINK, "detail": "x"}}]}]},
        [("user", [{"type": "uri", "modality": "image", "uri": LINK}])],
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": LINK}}]}]},
        [("user", [{"type": "uri", "modality": "image", "uri": LINK}])],
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1", "filename": "a.pdf"}]}]},
        [("user", [{"type": "file", "modality": "document", "file_id": "file-1"}])],
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}]},
        [("user", [{"type": "file", "modality": "document", "file_id": "file-1"}])],
    ),
    (
        {"messages": [{"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]}]},
        [("assistant", [{"type": "reasoning", "content": "Hm."}])],
    ),
    (
        {"messages": [{"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "cats"}}]},
        [("assistant", [SEARCH])],
    ),
    (
        {"messages": [{"role": "assistant", "content": [HOSTED, {"type": "compaction", "content": "So far: cats."}]}]},
        [("assistant", [HOSTED_PART, {"type": "compaction", "content": "So far: cats."}])],
    ),
    (
        {"messages": [{"role": "assistant", "content": [{"type": "text", "text": None}]}]},
        [("assistant", [("text", "")])],
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": "text", "content": "hi"}, {"type": "text", "text": 7}]}]},
        [("user", [("text", "hi"), ("text", "7")])],
    ),
    (
        {"messages": [{"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}]},
        [("assistant", [("text", "No.")])],
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
    (
        {
            "messages": [
                {"role": "assistant", "content": [{"type": "thinking", "thinking": [{"text": "H"}, {"text": "m"}]}]}
            ]
        },
        [("assistant", [{"type": "reasoning", "content": "Hm"}])],
    ),
    (
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "t", "type": "custom", "custom": CUSTOM}]}]},
        [("assistant", [{**CALL_PART, "id": "t", "name": "exec", "arguments": "[1]"}])],
    ),
    (
        {"messages": [{"type": "custom_tool_call", "call_id": "t", **CUSTOM}]},
        [("assistant", [{**CALL_PART, "id": "t", "name": "exec", "arguments": "[1]"}])],
    ),
    (
        {"messages": [{"type": "custom_tool_call_output", "call_id": "t", "output": "1"}]},
        [("tool", [{"type": "tool_call_response", "id": "t", "response": "1"}])],
    ),
    (
        {"messages": [{"type": "local_shell_call", "call_id": "t", "action": {"command": ["ls"]}}]},
        [("assistant", [{**CALL_PART, "id": "t", "name": "local_shell", "arguments": {"command": ["ls"]}}])],
    ),
    (
        {"messages": [{"type": "computer_call", "call_id": "t", "action": None, "actions": [{"type": "wait"}]}]},
        [("assistant", [{**CALL_PART, "id": "t", "name": "computer", "arguments": [{"type": "wait"}]}])],
    ),
    (
        {"messages": [{"type": "computer_call_output", "call_id": "t", "output": {"type": "computer_screenshot"}}]},
        [("tool", [{"type": "tool_call_response", "id": "t", "response": {"type": "computer_screenshot"}}])],
    ),
    (
        {"messages": [{"type": "local_shell_call_output", "id": "t", "output": "{}"}]},
        [("tool", [{"type": "tool_call_response", "id": "t", "response": "{}"}])],
    ),
    ({"messages": [{"role": "assistant", "content": "Oslo", "reasoning": ""}]}, [("assistant", [("text", "Oslo")])]),
    ({"messages": [{"role": "assistant", "content": None, "refusal": "No."}]}, [("assistant", [("text", "No.")])]),
    (
        {"messages": [{"role": "assistant", "content": "Oslo", "reasoning_content": "Hm."}]},
        [("assistant", [("reasoning", "Hm."), ("text", "Oslo")])],
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
        [[{"type": "tool_call", "name": "f", "arguments": {}}]],
    ),
    ({"completion": "", "content": [HOSTED, HOSTED_RESULT]}, [[HOSTED_PART, HOSTED_RESULT_PART]]),
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


def test_every_answer_has_a_finish_reason() -> None:
    """A backend that reads messages by the conventions' former schema drops all of them if one has none."""
    [first, second] = json.loads(output_messages('{"completion":"a","choices":[{"completion":"b"}]}', ("stop",)))
    assert ("stop", "unknown") == (first["finish_reason"], second["finish_reason"])


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
            assert all(conforms(part) for part in each["parts"])


TEXT = {"content": str}
REQUIRED: dict[str, dict[str, type]] = {
    "text": TEXT,
    "reasoning": TEXT,
    "tool_call": {"name": str},
    "tool_call_response": {"response": object},
    "server_tool_call": {"name": str, "server_tool_call": dict},
    "server_tool_call_response": {"server_tool_call_response": dict},
    "uri": {"modality": str, "uri": str},
}
"""The members that a part must have, by its type: the conventions' schemas of messages."""


def conforms(part: dict[str, Any]) -> bool:
    """Whether a part is as its type wants it: an id is a text or not there, and what must be there is."""
    required = REQUIRED.get(part["type"], {})
    assert isinstance(part["type"], str)
    return all(key in part and isinstance(part[key], kind) for key, kind in required.items()) and (
        part["type"] not in REQUIRED or isinstance(part.get("id", ""), str)
    )


@pytest.mark.parametrize(
    "kind",
    [
        *(
            "text",
            "input_text",
            "refusal",
            "thinking",
            "reasoning",
            "function",
            "function_call",
            "function_call_output",
            "tool_use",
        ),
        *("tool_result", "server_tool_use", "mcp_call", "web_search_call", "mcp_tool_result", "image_url", "document"),
    ],
)
@pytest.mark.parametrize("rest", [{}, {"id": 7, "name": None, "text": 1, "thinking": [], "source": "x", "call_id": []}])
def test_known_types_with_nothing_in_them(kind: str, rest: dict[str, object]) -> None:
    """A block that is not what its type says still becomes a part that the conventions allow."""
    [message] = json.loads(
        input_messages(json.dumps({"messages": [{"role": "user", "content": [{"type": kind, **rest}]}]}))
    )
    assert [True] == [conforms(part) for part in message["parts"]]
