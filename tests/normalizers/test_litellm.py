"""What LiteLLM tells a callback, read without LiteLLM."""

import json
from base64 import b64encode
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ramp_tracing._normalizers import _litellm_attribution
from ramp_tracing._normalizers._litellm import LiteLLMCall, read_litellm, read_paid
from ramp_tracing._normalizers._litellm_attribution import TEAM, attribution_in, litellm_attribution, sources_of
from ramp_tracing._normalizers._litellm_lean import _price
from ramp_tracing._normalizers._litellm_money import as_exact
from ramp_tracing._record import NOBODY, Cost, Usage

ANSWER: Any = {
    "id": "chatcmpl-1a2b3c4d5e",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"finish_reason": "stop", "message": {"content": "secret answer"}}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
}


def told(answer: Any = ANSWER, *, ok: bool = True, payload: Any = None, **call: Any) -> LiteLLMCall | None:
    """What is read from a callback's arguments."""
    said = {"startTime": 10.0, "endTime": 12.5, "completionStartTime": 11.0, "model": "gpt-4o", **(payload or {})}
    common = {"litellm_call_id": "call-1", "call_type": "acompletion", "custom_llm_provider": "openai"}
    return read_litellm({**common, "standard_logging_object": said, **call}, answer, ok=ok)


def read(answer: Any = ANSWER, **call: Any) -> LiteLLMCall:
    found = told(answer, **call)
    assert found is not None
    return found


def test_a_completion() -> None:
    """Counts, ids, times and the price."""
    call = read(response_cost=7.500000000000001e-05)
    assert ("chat", "completion", "openai", "gpt-4o") == (call.operation, call.kind, call.provider, call.model)
    assert ("chatcmpl-1a2b3c4d5e", ("stop",)) == (call.outcome.response_id, call.outcome.finish_reasons)
    assert (10_000_000_000, 12_500_000_000, None) == (
        call.timing.started, call.timing.ended, call.timing.first_chunk,
    )  # fmt: skip
    assert call.outcome.cost is not None
    assert Decimal("0.000075") == call.outcome.cost.total


@pytest.mark.parametrize("cost", [None, 0, 0.0, "much", True, float("nan")])
def test_an_unknown_price_is_none(cost: object) -> None:
    """LiteLLM says `None` or 0 of what it has no price for."""
    assert read(response_cost=cost).outcome.cost is None


def test_an_answer_from_the_cache_is_free() -> None:
    """And says what it would have cost."""
    call = read(response_cost=0.0, cache_hit=True, payload={"saved_cache_cost": 0.5})
    assert call.outcome.cost is not None
    assert Decimal(0) == call.outcome.cost.total
    assert {"litellm.cache_hit": True, "litellm.saved_cost": 0.5} == dict(call.attribution.metadata)


def test_zeros_are_not_usage() -> None:
    """LiteLLM's words for usage that nobody reported."""
    nothing = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    assert Usage() == read({**ANSWER, "usage": nothing}, payload=nothing).outcome.usage


def test_content_is_read_from_the_payload_alone() -> None:
    """The answer itself is not redacted; the payload is."""
    secret = [{"role": "user", "content": "secret question"}]
    call = read(messages=secret, payload={"messages": "redacted-by-litellm", "response": "redacted-by-litellm"})
    assert (None, None) == (call.asked, call.outcome.output)
    marked = [{"role": "user", "content": "redacted-by-litellm"}]
    assert read(payload={"messages": marked}).asked is None
    assert {"messages": secret} == read(payload={"messages": secret}).asked


def test_the_providers_own_id_of_a_response() -> None:
    """LiteLLM packs it together with names of its own."""
    packed = b64encode(b"litellm:custom_llm_provider:openai;model_id:None;response_id:resp_0c1f6be8").decode()
    answer = {"id": f"resp_{packed}", "model": "gpt-4o", "usage": {"input_tokens": 1, "output_tokens": 2}}
    assert "resp_0c1f6be8" == read(answer, call_type="responses").outcome.response_id


def test_what_was_not_bought() -> None:
    """Files and lists; an endpoint that nobody knows counts if it reports usage."""
    assert told({"id": "file-1"}, call_type="afile_content") is None
    assert "ocr" == read(ANSWER, call_type="ocr").operation


def test_a_request_that_was_never_sent() -> None:
    """The proxy tells of its own refusals as of calls."""
    assert not read(None, ok=False, custom_llm_provider=None).was_sent
    assert not read(None, ok=False, litellm_no_upstream_llm_call=True).was_sent


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ({"user": "ada"}, "ada"),
        ({"user": "ada", "litellm_params": {"metadata": {"user_id": 7}}}, "7"),
        ({"user": "ada", "litellm_params": {"metadata": {"trace_user_id": "eve", "user_id": "bob"}}}, "eve"),
        ({"optional_params": {"user": "ada"}}, "ada"),
        ({}, None),
    ],
)
def test_user(call: Any, expected: str | None) -> None:
    """The first that says something."""
    assert expected == read(**call).attribution.user


def test_the_proxys_own_keys_stay_out() -> None:
    """Of what the proxy puts into the metadata only what the caller sent is the caller's."""
    metadata = {"user_api_key_team_alias": "billing", "endpoint": "/chat", "requester_metadata": {"project": "apollo"}}
    params = {"metadata": metadata, "proxy_server_request": {"body": {"session_id": "s-1"}}}
    who = read(litellm_params=params).attribution
    assert "s-1" == who.session_id
    assert {"project": "apollo", "litellm.team": "billing"} == dict(who.metadata)


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, object()])
def test_hostile(value: object) -> None:
    """Whatever stands where something else is expected, nothing raises."""
    keys = ("standard_logging_object", "litellm_params", "optional_params", "response_cost", "call_type", "exception")
    for key in keys:
        for ok in (True, False):
            told(value, ok=ok, **{key: value})


def of_openrouter(usage: Any, **call: Any) -> Any:
    """The cost of a call to OpenRouter whose answer has this usage."""
    answer = {**ANSWER, "usage": {**ANSWER["usage"], **usage}}
    return read(answer, custom_llm_provider="openrouter", **call).outcome.cost


def test_what_the_provider_reports_goes_first() -> None:
    """With the user's own key LiteLLM knows OpenRouter's fee alone; the answer knows both."""
    own_key = {"cost": 0.0001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.002}}
    assert Cost(total=Decimal("0.0021"), source="provider") == of_openrouter(own_key, response_cost=0.0001)
    assert Cost(total=Decimal("0.0001"), source="provider") == of_openrouter({"cost": 0.0001}, response_cost=0.0001)


@pytest.mark.parametrize("name", ["discount_amount", "margin_total_amount"])
def test_a_margin_goes_before_the_provider(name: str) -> None:
    """A margin or a discount that LiteLLM was told of is the user's own word."""
    cost = of_openrouter({"cost": 0.1}, response_cost=0.11, payload={"cost_breakdown": {name: 0.01}})
    assert Cost(total=Decimal("0.11"), source="gateway") == cost


def test_litellms_own_number_is_not_the_providers() -> None:
    """LiteLLM puts a price of its own into the last chunk of other providers' streams."""
    answer = {**ANSWER, "usage": {**ANSWER["usage"], "cost": 0.7}}
    assert Cost(total=Decimal("0.5"), source="gateway") == read(answer, response_cost=0.5).outcome.cost
    assert read(answer).outcome.cost is None


NOTHING: Any = [None, {}, ""]
SAID: Any = st.sampled_from([*NOTHING, "ada", 7, {"hidden_params": 1}, {"team": "x"}, {"user_id": "u", "tags": ["a"]}])
KEY: Any = dict.fromkeys(TEAM.values())
CALLS: Any = st.fixed_dictionaries(
    {
        "litellm_params": st.sampled_from(NOTHING)
        | st.fixed_dictionaries(
            {"metadata": SAID},
            optional={
                "litellm_metadata": SAID,
                "litellm_session_id": SAID,
                "proxy_server_request": st.sampled_from([None, {}, {"body": {"user": "eve", "trace": {"a": 1}}}]),
            },
        ),
        "standard_logging_object": st.sampled_from(NOTHING)
        | st.fixed_dictionaries(
            {
                "metadata": SAID
                | st.sampled_from([KEY, {**KEY, "user_api_key_hash": "h"}, {**KEY, "model_group": "fast"}]),
                "request_tags": st.sampled_from([None, [], ["a"], ["User-Agent: x"]]),
            },
            optional={"end_user": SAID, "model_group": st.sampled_from([None, "", "fast"])},
        ),
        "optional_params": st.sampled_from(
            [*NOTHING, {"user": "eve"}, {"extra_body": {"session_id": "s", "trace": {"trace_name": "t", "b": 2}}}]
        ),
    },
    optional={"user": SAID},
)


@given(CALLS)
def test_where_nobody_says_anything_it_is_not_looked_for(call: Any) -> None:
    """Who a call is for is the same, whether or not all places are asked at once before."""
    assert attribution_in(sources_of(call)) == litellm_attribution(call)


def test_the_usual_call_is_nobodys() -> None:
    """Of what LiteLLM itself writes into every call nothing is looked at."""
    payload = {"metadata": {**KEY, "usage_object": {"prompt_tokens": 1}}, "request_tags": [], "end_user": None}
    params = {"metadata": {"hidden_params": {"model_id": None}}, "litellm_trace_id": None}
    call: Any = {"litellm_params": params, "standard_logging_object": payload, "optional_params": {"temperature": 1}}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_litellm_attribution, "sources_of", None)
        assert litellm_attribution(call) is NOBODY


@pytest.mark.parametrize("price", [2.0, 1e16, 0.1 + 0.2, 9.300000000000001e-05, 1e-7, 123456789012345.6, 5e-324, 1e20])
def test_a_price_has_fifteen_digits(price: float) -> None:
    """As LiteLLM's prices have; in whichever way they are made."""
    digits = _price(price)
    assert digits is not None
    assert str(as_exact(price)) == str(Decimal(digits.decode()))


# --- prices of nothing


FREE = {"input_cost_per_token": 0, "output_cost_per_token": 0.0}


@pytest.mark.parametrize(
    "params",
    [
        FREE,
        {"model_info": FREE},
        {"metadata": {"model_info": FREE}},
        {"litellm_metadata": {"model_info": {"input_cost_per_token": 0.0, "mode": "embedding"}}},
    ],
)
def test_a_price_of_nothing_is_a_price(params: Any) -> None:
    """LiteLLM was told that a token costs nothing, on the call or for a deployment; then its 0 is one."""
    assert Cost(total=Decimal(0), source="gateway") == read(response_cost=0.0, litellm_params=params).outcome.cost
    assert read(response_cost=None, litellm_params=params).outcome.cost is None
    failed = told(None, ok=False, response_cost=0, litellm_params=params, exception=ValueError())
    assert failed is not None
    assert failed.outcome.cost is None


@pytest.mark.parametrize(
    "half", [{"input_cost_per_token": 0}, {**FREE, "output_cost_per_token": 1e-6}, {"model_info": 7}]
)
def test_half_a_price_of_nothing_is_none(half: Any) -> None:
    """As little as LiteLLM's own 0."""
    assert read(response_cost=0.0, litellm_params=half).outcome.cost is None


# --- what is paid for, and LiteLLM says little of


CLAUDES: Any = {
    "id": "msg_01",
    "type": "message",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": "secret answer"}],
    "usage": {"input_tokens": 10, "cache_read_input_tokens": 100, "output_tokens": 5},
}


def test_an_answer_that_was_refused_is_paid_for() -> None:
    """Its usage is in the provider's own answer; its text is nobody's business."""
    paid = read_paid(json.dumps(CLAUDES))
    assert (110, 100, 5) == (paid.usage.input_tokens, paid.usage.cache_read_tokens, paid.usage.output_tokens)
    assert ("msg_01", "claude-sonnet-4-5", None) == (paid.response_id, paid.response_model, paid.output)


@pytest.mark.parametrize("answer", ["{", "[]", '{"error": {"message": "No."}}', '{"usage": {}, "id": "x"}', "\ud800"])
def test_an_answer_that_says_no_usage_is_not(answer: str) -> None:
    """An error, or half an answer."""
    assert not read_paid(answer).usage.known


def test_usage_of_edited_images() -> None:
    """LiteLLM makes zeros of it in the answer, beside the total, and has the counts elsewhere."""
    answer = {"data": [{}, {}], "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 15}}
    counts = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    usage = read(answer, call_type="image_edit", payload={"metadata": {"usage_object": counts}}).outcome.usage
    assert (10, 5, 15, 2) == (usage.input_tokens, usage.output_tokens, usage.total_tokens, usage.images)
    unknown = read(answer, call_type="image_edit").outcome.usage
    assert (None, None, 15) == (unknown.input_tokens, unknown.output_tokens, unknown.total_tokens)


@pytest.mark.parametrize(("details", "estimated"), [(None, True), ({"text_tokens": 3}, False)])
def test_embeddings_that_litellm_counts_itself(details: Any, estimated: bool) -> None:
    """Most of Gemini's say no usage; those that do have parts."""
    answer = {"data": [{"embedding": [0.1]}], "usage": {"prompt_tokens": 3, "total_tokens": 3}}
    payload = {"metadata": {"usage_object": {"prompt_tokens": 3, "prompt_tokens_details": details}}}
    call = read(answer, call_type="aembedding", custom_llm_provider="gemini", payload=payload)
    assert estimated == call.outcome.usage.estimated


def test_a_response_of_a_model_that_has_none() -> None:
    """LiteLLM makes it of a chat completion, and tells of that."""
    call = read(call_type="aresponses", custom_llm_provider="anthropic", payload={"response": ANSWER})
    assert ("responses", ("stop",)) == (call.kind, call.outcome.finish_reasons)
    assert "secret answer" in str(call.outcome.output)


@pytest.mark.parametrize("prefix", ["", "a"])
@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        ("generate_content_stream", "chat"),
        ("get_responses", "chat"),
        ("compact_responses", "compact"),
        ("video_generation", "video_generation"),
        ("ocr", "ocr"),
    ],
)
def test_sync_and_async_are_one_operation(prefix: str, kind: str, operation: str) -> None:
    """LiteLLM's word for the latter begins with an ``a``."""
    assert operation == read(call_type=f"{prefix}{kind}", response_cost=0.5).operation


def test_a_stream_of_gemini_that_nobody_speaks_of() -> None:
    """It was asked for, though nothing is known of its answer."""
    assert told(None, ok=False, call_type="generate_content_stream") is not None


def test_times_that_are_kept_out_of_the_payload() -> None:
    """``standard_logging_payload_excluded_fields``; LiteLLM has them elsewhere, too."""
    began = datetime(2026, 1, 1, 12)
    times = {"startTime": None, "endTime": None}
    call = read(payload=times, start_time=began, end_time=began + timedelta(seconds=2))
    assert (round(began.timestamp() * 10**9), 2 * 10**9) == (
        call.timing.started, call.timing.ended - call.timing.started,
    )  # fmt: skip


def test_what_is_said_of_the_cost_is_metadata() -> None:
    """In the metadata, and in a header of the proxy's; the application's own keys go before it."""
    spend = {"spend_logs_metadata": {"cost_center": "CC-1", "a": "spend", "nothing": None}}
    sdk = litellm_attribution({"litellm_params": {"metadata": {**spend, "a": "own"}}})
    assert {"cost_center": "CC-1", "a": "own"} == dict(sdk.metadata)
    proxy = {"litellm_params": {"proxy_server_request": {"body": {}}}, "standard_logging_object": {"metadata": spend}}
    assert {"cost_center": "CC-1", "a": "spend"} == dict(litellm_attribution(proxy).metadata)


# --- what a proxy passes through


def passed(answer: object, *, url: str = "http://10.0.0.7/v1/chat/completions", **more: Any) -> LiteLLMCall | None:
    """What is read of an endpoint that LiteLLM does not know."""
    asked = more.pop("asked", {"model": "gpt-4o", "user": "ada"})
    text = answer if isinstance(answer, str) else json.dumps(answer)
    call = {"user": "unknown", "passthrough_logging_payload": {"url": url, "request_body": asked}, **more}
    unknown = {"custom_llm_provider": None, "payload": {"model": "unknown"}, "response_cost": 0.0}
    return told({"response": text}, call_type="pass_through_endpoint", **unknown, **call)


def test_what_is_passed_through() -> None:
    """Its usage, its model, where it went, and no user whose name would be "unknown"."""
    call = passed(ANSWER)
    assert call is not None
    assert (10, 5) == (call.outcome.usage.input_tokens, call.outcome.usage.output_tokens)
    assert ("chat", "gpt-4o", "ada", True) == (call.operation, call.model, call.attribution.user, call.was_sent)
    assert ("http://10.0.0.7/v1/chat/completions", None) == (call.api_base, call.outcome.cost)


def test_embeddings_that_are_passed_through() -> None:
    """Known by the path."""
    answer = {"data": [{"embedding": [0.1]}], "model": "text-embedding-3-small", "usage": {"prompt_tokens": 3}}
    call = passed(answer, url="https://api.openai.com/v1/embeddings")
    assert call is not None
    assert ("embeddings", 3) == (call.operation, call.outcome.usage.input_tokens)


@pytest.mark.parametrize("words", [1, 10_000])
def test_a_stream_that_is_passed_through(words: int) -> None:
    """LiteLLM hands on its lines as Python shows a list, after a sentence of its own. Of a long one the end is read."""
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    word = {"id": "c", "choices": [{"delta": {"content": "it's, 'data: so\""}}]}
    events = [*[word] * words, {"id": "c", "choices": [], "usage": usage}]
    lines = [*(f"data: {json.dumps(each)}" for each in events), "data: [DONE]"]
    call = passed(f"cannot parse chunks to standard response object. Chunks={lines}", stream=True)
    assert call is not None
    assert (10, 5, True) == (call.outcome.usage.input_tokens, call.outcome.usage.output_tokens, call.streamed)


@pytest.mark.parametrize("text", ["Chunks=[", "Chunks=7", "Chunks=['data: {', 7]", "sound"])
def test_a_stream_that_nobody_can_read(text: str) -> None:
    """It was asked for all the same."""
    call = passed(text)
    assert call is not None
    assert not call.outcome.usage.known


def test_a_list_of_files_is_no_call() -> None:
    """It has neither a model nor usage."""
    assert passed({"object": "list", "data": []}, url="https://api.openai.com/v1/files", asked={}) is None
