"""Calls of tools, also those that a provider runs and bills, and thoughts as open models and Mistral's have them."""

import json
from typing import Any, Final

import pytest

from ramp_tracing._normalizers import CHAT, IMAGES, RESPONSES, numbers_in
from ramp_tracing._record import Outcome

USAGE: Final = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
RAN: Final = [
    {"index": 0, "type": "browser_search", "arguments": "{}", "output": "found"},
    {"index": 1, "type": "browser.open", "arguments": "{}"},
    {"index": 2, "type": "browser_search", "arguments": "{}"},
    {"index": 3, "type": "function", "arguments": "{}"},
]
CALLS_OF_RAN: Final = {"browser_search_call": 2, "browser_open_call": 1}


def answer(message: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A chat completion with one choice."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return {"id": "c-1", "model": "m", "choices": [choice], "usage": USAGE, **more}


def streamed(*deltas: dict[str, Any], keeps_content: bool = True) -> Outcome:
    """What a stream of these deltas says."""
    accumulator = CHAT.accumulator(1, keeps_content)
    for delta in deltas:
        accumulator.add({"id": "c-1", "model": "m", "choices": [{"index": 0, "delta": delta}]})
    accumulator.add({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "x_groq": {"usage": USAGE}})
    return accumulator.outcome()


@pytest.mark.parametrize("tier", [{}, {"service_tier": "on_demand"}])
def test_tools_that_groq_ran_are_counted(tier: dict[str, str]) -> None:
    """They are billed beside the tokens, in a message and in nothing else."""
    whole = answer({"content": "Oslo", "executed_tools": RAN}, **tier)
    assert CHAT.read(whole).usage.hosted_tool_calls == CALLS_OF_RAN
    assert CHAT.read(answer({"content": "Oslo", "executed_tools": None}, **tier)).usage.hosted_tool_calls == {}


@pytest.mark.parametrize("keeps_content", [True, False])
def test_a_stream_names_a_tool_twice(keeps_content: bool) -> None:
    """Once when it is called, once with what came of it; also where content is not kept, and beside a thought."""
    asked = [{key: value for key, value in tool.items() if key != "output"} for tool in RAN]
    said = streamed(
        {"reasoning": "Hm", "executed_tools": asked[:1]},
        {"executed_tools": RAN[:1]},
        {"reasoning": ".", "executed_tools": asked[1:]},
        {"content": "Oslo"},
        keeps_content=keeps_content,
    )
    assert said.usage.hosted_tool_calls == CALLS_OF_RAN
    assert said.usage.input_tokens == 100


def test_an_answer_for_which_groq_ran_tools_has_no_lean_part() -> None:
    """After a crash it would be priced by its tokens alone."""
    more = {"x_groq": {"id": "req_1"}, "system_fingerprint": "fp_1"}
    for message, has_one in (({"content": "Oslo"}, True), ({"content": "Oslo", "executed_tools": RAN}, False)):
        body = json.dumps(answer(message, **more)).encode()
        assert CHAT.lean is not None
        assert [CHAT.lean(body) is not None for _ in range(3)] == [has_one] * 3


CUSTOM: Final = {"id": "call_1", "type": "custom", "custom": {"name": "exec", "input": "print(1)"}}


def test_a_custom_tool_is_called_with_text() -> None:
    """In a stream of chat completions it comes in pieces; the Responses API has a form of its own for it."""
    said = streamed(
        {"tool_calls": [{"index": 0, "id": "call_1", "type": "custom", "custom": {"name": "exec", "input": ""}}]},
        {"tool_calls": [{"index": 0, "custom": {"input": "print"}}]},
        {"tool_calls": [{"index": 0, "custom": {"input": "(1)"}}]},
    )
    assert said.output == {"completion": None, "reasoning": None, "toolCalls": [{**CUSTOM, "index": 0}]}
    item = {"type": "custom_tool_call", "call_id": "call_1", "name": "exec", "input": "print(1)"}
    assert responded(item) == {"completion": "", "reasoning": None, "toolCalls": [{**CUSTOM, "index": 0}]}


def responded(*items: object) -> object:
    """The content of a response with these items."""
    return RESPONSES.read({"id": "resp_1", "status": "completed", "output": list(items)}).output


@pytest.mark.parametrize(
    ("kind", "member"),
    [
        ("computer_call", "action"), ("local_shell_call", "action"), ("shell_call", "action"),
        ("apply_patch_call", "operation"), ("computer_call", "actions"),
    ],
)  # fmt: skip
def test_what_a_computer_is_to_do_is_content(kind: str, member: str) -> None:
    """It is all that such an answer says."""
    item = {"type": kind, "call_id": "call_1", member: {"type": "x"}}
    call = {"id": "call_1", "index": 0, "type": kind, "action": {"type": "x"}}
    assert responded(item) == {"completion": "", "reasoning": None, "toolCalls": [call]}
    assert responded({"type": ["odd"]}) == {"completion": "", "reasoning": None}


def test_open_models_tell_all_their_thoughts() -> None:
    """The Responses API of vLLM and others has them in the content of an item without a summary."""
    thought = {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Norway."}]}
    assert responded(thought) == {"completion": "", "reasoning": "Norway."}
    told = {**thought, "summary": [{"type": "summary_text", "text": "A capital."}]}
    assert responded(told) == {"completion": "", "reasoning": "A capital."}


def test_mistrals_thoughts_are_parts_of_the_content() -> None:
    """In a stream they come as lists, before the text."""
    said = streamed(
        {"role": "assistant", "content": ""},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Nor"}]}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "way."}]}]},
        {"content": [{"type": "text", "text": "Os"}, 3, None]},
        {"content": "lo"},
    )
    assert said.output == {"completion": "Oslo", "reasoning": "Norway."}


@pytest.mark.parametrize(
    ("billed", "counts"),
    [
        (None, {"web_search_call": 2}), (2, {"web_search_call": 2}), (3, {"web_search_call": 3}),
        (1, {"web_search_call": 1, "discounted_web_search_call": 1}),
    ],
)  # fmt: skip
def test_openai_says_how_many_searches_it_bills(billed: int | None, counts: dict[str, int]) -> None:
    """Some are billed at a discount, and are left out; nobody says what they cost."""
    search = {"type": "web_search_call", "action": {"type": "search", "query": "Oslo"}}
    opened = {"type": "web_search_call", "action": {"type": "open_page"}}
    said = {} if billed is None else {"tool_usage": {"web_search": {"num_requests": billed}}}
    whole = {"id": "resp_1", "status": "completed", "output": [search, search, opened], **said}
    assert RESPONSES.read(whole).usage.hosted_tool_calls == counts


def test_the_author_of_a_drawing_is_another_model() -> None:
    """Its tokens are not in the usage of the pictures."""
    usage = {"input_tokens": 10, "output_tokens": 40, "total_tokens": 50}
    svg = {"model": "gpt-6", "input_tokens": 90, "output_tokens": 900, "reasoning_tokens": 0, "total_tokens": 990}
    drawn = {"created": 1, "data": [{"b64_json": "AAAA"}], "usage": usage}
    for more, calls in (({}, {}), ({"svg_usage": None}, {}), ({"svg_usage": svg}, {"svg_authoring_call": 1})):
        assert IMAGES.read({**drawn, **more}).usage.hosted_tool_calls == calls


@pytest.mark.parametrize(
    ("window", "hours"), [("2h", {"completion_window_hours": 2}), ("soonest", {}), (None, {}), (["2h"], {}), (8, {})]
)
def test_how_long_a_response_may_wait_is_in_the_request_alone(window: object, hours: dict[str, float]) -> None:
    """It decides what the response costs."""
    assert numbers_in({"background_options": {"completion_window": window}, "seed": 1}) == {"seed": 1, **hours}


@pytest.mark.parametrize(("payer", "kept"), [("user_profile", {"billed_to_customer": 1}), ("self", {}), (None, {})])
def test_who_pays_is_in_the_request_alone(payer: object, kept: dict[str, float]) -> None:
    """What a customer pays to Anthropic is nobody's spend here."""
    assert numbers_in({"billing_policy": {"type": "billing_policy", "bill_to": payer}}) == kept
    assert numbers_in({"billing_policy": payer}) == {}
